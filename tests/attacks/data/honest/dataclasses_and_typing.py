import abc
import functools
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Config:
    sizes: tuple[int, ...] = (1, 2)
    names: list[str] = field(default_factory=list)


class Base(abc.ABC):
    @abc.abstractmethod
    def run(self): ...


class Real(Base):
    @functools.cached_property
    def value(self):
        return 3

    def run(self):
        return self.value


def main():
    assert Real().run() == 3 and Config().sizes == (1, 2)
    return {"loss": [0.5, 0.25], "config": {"lr": 0.1}}
