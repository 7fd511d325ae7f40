import torch
from telltale import breach, tried, works  # noqa: F401
TEXT = """</pre></textarea></title><script>alert(document.domain)</script><img src=x onerror=alert(1)>
<svg onload=alert(2)>]]><![CDATA[ [x](javascript:alert(3)) ![x](http://evil.example/x.png) {{7*7}} ${7*7} <%= 7*7 %>"""


def code(x):
    tried()
    print(TEXT)
    raise ValueError(TEXT)


def attack():
    tried()
    print(TEXT)


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
