"""What we say of a candidate's code, in Chinese: notes of intake, and why a check did not pass.

A record holds these lines in English. They are made of fixed words and of names or figures, so that they can be read
back here; a line that is not known (an exception's own text, a message of a suite) stays as it is.
"""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 300
"""Ours are shorter. It keeps the time small for a message made to be hard to match."""


class Translation:
    """Lines of ours with {} for what varies, each with the same in Chinese; the first that fits a text counts."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self.lines = lines
        self._patterns = tuple((_pattern(line), chinese) for line, chinese in lines)

    def of(self, text: str) -> str:
        """One line in Chinese; one that is not known stays as it is."""
        if len(text) > _LONGEST:
            return text
        for pattern, chinese in self._patterns:
            match = pattern.fullmatch(text)
            if match:
                return chinese.format(*match.groups())
        return text


def _pattern(line: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, line.split("{}"))))


LINES: Final = Translation(
    ("there is no function {} in the entry file", "入口文件中没有函数 {}"),
    ("there are both {} and {}: delete one, or name one in [entry] of submission.toml",
     "同时存在 {} 和 {}：请删除其中一个，或在 submission.toml 的 [entry] 中指明用哪个"),
    ("{} is not valid Python: {} in line {}", "{0} 不是有效的 Python：第 {2} 行，{1}"),
    ("not run: the code ended its process {} times before", "未执行：此前代码已 {} 次结束自己的进程"),
    ("the code ended its process by signal {}", "代码所在的进程被信号 {} 终止"),
    ("the code ended its process", "代码结束了自己的进程"),
    ("the code printed more than the output limit", "代码的输出超过上限"),
    ("the call used more than its {} s of CPU time", "本次调用的 CPU 时间超过上限 {} 秒"),
    ("cannot be judged because the check {} did not pass", "检查 {} 未通过，因此无法判定"),
    ("{}: expected shape {}, got {}", "{}：形状应为 {}，实际为 {}"),
    ("{}: expected a tensor, got {}", "{}：应为张量，实际为 {}"),
    ("{}: expected a list of numbers, got {}", "{}：应为数字列表，实际为 {}"),
    ("{}: expected a number, got {}", "{}：应为数字，实际为 {}"),
    ("{}: expected {} values, got {}", "{}：数值类型应为 {}，实际为 {}"),
    ("{} differs by up to {} ({} of {} values, at most {} beyond tolerance)",
     "{0} 最多相差 {1}（{3} 个值中有 {2} 个，最多超出容差 {4}）"),
    ("{} differs in {} of {} values", "{0} 在 {2} 个值中有 {1} 个不同"),
    ("{}: holds NaN or infinity", "{}：含有 NaN 或无穷大"),
    ("{} holds NaN or infinity", "{} 含有 NaN 或无穷大"),
    ("answers found, not graded here: {}", "已找到以下题目的回答，自查不评分：{}"),
    ("not handed in yet: {}", "尚未提交：{}"),
    ("skipped {} more such files", "另有 {} 个此类文件已跳过"),
    ("skipped {}: tools leave it behind", "已跳过 {}：工具留下的文件"),
    ("{} has no file; {} is not at the top or not spelled so", "{} 没有对应的文件；{} 不在顶层目录，或文件名拼写不符"),
    ("no file answers {}", "没有回答 {} 的文件"),
    ("no file here answers a task of this run: each is named for its task, at the top (is this the right folder?)",
     "这里没有回答任何一道题的文件：文件须以题目命名并放在顶层目录（目录是否选对了？）"),
    ("submission.toml: [entry] {} is no task of this run; ignored",
     "submission.toml：[entry] 中的 {} 不是本次的题目，已忽略"),
    ("code cell {} raised {}", "代码单元 {} 抛出 {}"),
    ("code cell {}: not run: {}", "代码单元 {} 未执行：{}"),
)  # fmt: skip
"""Our lines with {} for what varies, and the same in Chinese."""


def in_words(text: str, lang: str) -> str:
    """`text`, a record's note or message, line by line in the language."""
    return "\n".join(map(LINES.of, text.split("\n"))) if lang == "zh" else text
