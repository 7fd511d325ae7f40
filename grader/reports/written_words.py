"""The words of the written part of the summary: verdicts, flags, reasons, in English and Chinese.

A record has codes and the grader's English reasons, so that it is the same in any language; they become sentences here.
What has no words here (a flag of a later version) is shown as it is.
"""

from __future__ import annotations

import re

_WORDS = {
    "en": {
        "first": "machine score; a person has the last word",
        "total": "{answered} of {count} questions answered, with {share} % of their points",
        "unanswered": "unanswered",
        "review": "needs review",
        "done": "reviewed",
        "note": "note",
        "met": "met",
        "partial": "partly",
        "unmet": "not met",
        "contradicted": "wrong",
        "cannot_assess": "cannot tell",
        "model": "language model",
        "no model": "no opinion of the language model",
        "language en": "English",
        "language zh": "Chinese",
        "language mixed": "English and Chinese",
        "language other": "another language",
        "language none": "no text",
    },
    "zh": {
        "first": "机器初评，最终由人裁定",
        "total": "共 {count} 题，作答 {answered} 题，得到所答题目分值的 {share} %",
        "unanswered": "未作答",
        "review": "需人工复核",
        "done": "已复核",
        "note": "备注",
        "met": "满足",
        "partial": "部分满足",
        "unmet": "未满足",
        "contradicted": "错误",
        "cannot_assess": "无法判断",
        "model": "语言模型",
        "no model": "语言模型无结论",
        "language en": "英文",
        "language zh": "中文",
        "language mixed": "中英混合",
        "language other": "其他语言",
        "language none": "无文本",
    },
}
FLAGS = {
    "unanswered": ("unanswered", "未作答"),
    "non_answer": ("says that there is no answer, or next to nothing; earns nothing", "未实质作答，不得分"),
    "not_text": ("the file is not text; earns nothing", "文件不是文本，不得分"),
    "copied_question": ("the question said again; earns nothing", "照抄题目，不得分"),
    "stuffed": ("key words without statements; the score is capped", "堆砌关键词，没有成句的论述，得分已封顶"),
    "repetition": ("sentences repeated word for word; counted once", "有逐字重复的句子，只计一次"),
    "other_question": ("answers another question; the score is capped", "答的是另一题，得分已封顶"),
    "injection": ("speaks to whoever grades; those sentences earn nothing", "含有对评分者的指令，相关句子不计分"),
    "too_long": ("too long; only the first part was read", "超长，仅读前一部分"),
    "markup": ("contains HTML; only its text was read", "含 HTML 标记，只读其中的文本"),
    "unsupported_language": ("neither English nor Chinese", "非中英文"),
    "answered_twice": ("answered twice; the longer answer counts", "同一题作答两次，以较长的为准"),
    "negated": ("denies most of what it names; the score is capped", "通篇否定所提到的内容，得分已封顶"),
    "misconception": ("holds a known misconception", "含有常见误解"),
    "little_found": (
        "long, and little of it was recognised: perhaps other words",
        "篇幅不短而识别出的很少，可能换了说法",
    ),
    "middle_band": ("in the middle of the scale, where graders agree least", "分数居中，机器把握不大"),
    "llm_disagrees": ("the language model comes to another result", "与语言模型结论不一致"),
    "llm_failed": ("the language model gave no result for a point", "语言模型未给出结论"),
    "llm_unsure": ("the language model is in doubt", "语言模型把握不大"),
}
"""In English and Chinese."""
_REASONS_ZH = (
    (re.compile(r"misconception: (.*)"), r"误解：\1"),
    (re.compile(r"said, but denied or turned round: (.*)"), r"提到了，但被否定或说反：\1"),
    (re.compile(r"close in wording, but no key statement found"), "措辞相近，但没有关键论述"),
    (re.compile(r"found together: (.*)"), r"同时出现：\1"),
    (re.compile(r"(\d+) of (\d+) parts found, far apart: (.*)"), r"\2 个要素中找到 \1 个，但相距较远：\3"),
    (re.compile(r"(\d+) of (\d+) parts found: (.*)"), r"\2 个要素中找到 \1 个：\3"),
    (re.compile(r"not found"), "未找到"),
    (re.compile(r"no answer"), "没有作答"),
)
_NOTES_ZH = (
    (re.compile(r"([^:;]+): there is no question (q\d+); not graded"), r"\1：没有 \2 这一题，未评分"),
    (re.compile(r"(q\d+) is answered twice; the longer answer counts"), r"\1 作答两次，以较长的为准"),
)


def words_in(lang: str) -> dict[str, str]:
    """The fixed words of a language."""
    return _WORDS["zh" if lang == "zh" else "en"]


def flag_in_words(flag: str, lang: str) -> str:
    """What a flag means."""
    return FLAGS.get(flag, (flag, flag))[lang == "zh"]


def reason_in_words(reason: str, lang: str) -> str:
    """A grader's reason; quoted words and misconceptions stay as the record has them."""
    if lang == "zh":
        for pattern, chinese in _REASONS_ZH:
            if match := pattern.fullmatch(reason):
                return match.expand(chinese)
    return reason


def note_in_words(note: str, lang: str) -> str:
    """What intake noted, which may be several things."""
    if lang == "zh":
        for pattern, chinese in _NOTES_ZH:
            note = pattern.sub(chinese, note)
    return note
