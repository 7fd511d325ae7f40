"""The words of the pages, in English and Chinese. What a record says in codes becomes words here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Final

from grader.model import Json
from grader.reports.our_words import in_words
from grader.reports.written_words import flag_in_words, note_in_words, reason_in_words, words_in

_PAIRS: Final = {
    "results": ("Results", "评分结果"),
    "all_results": ("All results", "全部结果"),
    "skip": ("Skip to the content", "跳到正文"),
    "submissions": ("Submissions", "提交"),
    "candidate": ("Candidate", "候选人"),
    "total": ("Total", "总分"),
    "score": ("Score", "得分"),
    "people_table": ("Table of submissions", "提交列表"),
    "points": ("Points", "分数"),
    "task": ("Task", "题目"),
    "tasks": ("Tasks", "题目"),
    "status": ("Status", "状态"),
    "flags": ("Worth knowing", "须留意"),
    "review": ("To review", "待复核"),
    "median": ("Median", "中位数"),
    "mean": ("Mean", "平均"),
    "to_review": ("Answers to review", "待复核答案"),
    "reviewed_by_people": ("Points given by people", "人工评分"),
    "not_graded": ("Not graded", "未评分"),
    "search": ("Find", "查找"),
    "search_hint": ("name or id", "姓名或编号"),
    "any": ("any", "不限"),
    "only_review": ("only with answers to review", "只看有待复核答案的"),
    "only_flagged": ("only with something worth knowing", "只看须留意的"),
    "reset": ("Reset", "重置"),
    "shown": ("{} of {} shown", "显示 {} / {}"),
    "none_shown": ("Nobody fits. Reset the filter to see all.", "没有符合条件的候选人，可重置筛选。"),
    "sort_hint": ("Sort by a column with its button.", "点击列标题排序。"),
    "distribution": ("How the scores are spread", "分数分布"),
    "distribution_of": ("{}: {}", "{}：{}"),
    "handed_in": ("{} handed in", "{} 人提交"),
    "bin": ("{} to {} %: {}", "{} 至 {} %：{} 人"),
    "separates": ("What separates people", "哪些题目能区分候选人"),
    "separates_hint": (
        "A row is a criterion; people stand from the task's highest score (left) to its lowest. A row that fades from left to right separates people, a row of one shade does not.",
        "每行一个评分项，候选人按该题得分从高（左）到低（右）排列。从左到右渐淡的行能区分候选人，颜色一致的行则不能。",
    ),
    "criterion": ("Criterion", "评分项"),
    "question": ("Question", "问题"),
    "mean_share": ("Mean", "平均"),
    "mean_share_hint": ("the mean share of its points: the lower, the harder", "平均得分率，越低越难"),
    "discrimination": ("Separates", "区分度"),
    "discrimination_hint": (
        "correlation with the rest of the task's score, from -1 to 1; from 0.4 on it separates well, below 0.2 little",
        "与该题其余得分的相关系数（-1 到 1）；0.4 及以上区分良好，低于 0.2 区分很弱",
    ),
    "few": ("fewer than {}: the figures say little yet", "少于 {} 人，统计数字仅供参考"),
    "well": ("well", "良好"),
    "somewhat": ("somewhat", "一般"),
    "little": ("little", "弱"),
    "reversed": ("reversed", "相反"),
    "unanswered_by_all": ("nobody answered: {}", "无人作答：{}"),
    "strip": ("{} with full marks, {} with a part, {} with none", "{} 人满分，{} 人得部分分，{} 人零分"),
    "contents": ("On this page", "本页内容"),
    "scale": ("Share of the points", "得分率"),
    "not_handed_in": ("not handed in", "未提交"),
    "from_best": ("highest score", "得分最高"),
    "to_last": ("lowest", "最低"),
    "of": ("of", "/"),
    "graded": ("graded", "已评分"),
    "rejected": ("rejected", "已拒收"),
    "ungraded": ("ungraded", "未评分"),
    "missing": ("not handed in", "未提交"),
    "no_verdict": ("our fault: the score is no verdict", "我方原因，分数不作为结论"),
    "not_isolated": ("not isolated", "未隔离"),
    "not_isolated_long": ("Not isolated: for self-checks only, not a verdict.", "未隔离：仅供自查，不作为结论。"),
    "machine": ("machine", "机器"),
    "human": ("Human", "人工"),
    "reviewed": ("after review", "复核后"),
    "in_effect": (
        "{} scores given by a person; the machine's stay beside them.", "{} 处由人评分，机器评分并列保留。",
    ),
    "set_aside": ("Human points that do not count", "未计入的人工评分"),
    "note": ("Note", "备注"),
    "overview": ("Overview", "概览"),
    "criteria": ("Criteria", "评分项"),
    "checks": ("Checks", "检查"),
    "lost": ("Where points were lost", "失分之处"),
    "all_passed": ("All {} checks passed.", "{} 项检查全部通过。"),
    "passed_checks": ("{} checks passed", "{} 项检查通过"),
    "diagnosis": ("Likely causes", "可能原因"),
    "confidence": ("confidence", "把握"),
    "ask": ("Ask", "可追问"),
    "hint": ("Hint", "提示"),
    "raised_at": ("Raised at", "抛出位置"),
    "printed": ("Printed", "输出"),
    "public": ("public", "公开"),
    "hidden": ("hidden", "隐藏"),
    "pictures": ("Pictures", "图像"),
    "other_file": ("File beside the report", "报告旁的文件"),
    "written": ("Written answers", "书面作答"),
    "answered": ("{} of {} questions answered, with {} of their points", "共 {1} 题，作答 {0} 题，得到所答题目分值的 {2}"),
    "unanswered": ("Unanswered", "未作答"),
    "needs_review": ("needs review", "需人工复核"),
    "review_done": ("reviewed", "已复核"),
    "machine_first": ("Machine score; a person has the last word.", "机器初评，最终由人裁定。"),
    "evidence": ("From the answer", "答案原文"),
    "characters": ("characters {} to {}", "第 {} 至 {} 字符"),
    "model": ("Language model", "语言模型"),
    "no_model": ("No opinion of the language model", "语言模型无结论"),
    "agreement": ("{} of {} readings", "{1} 次阅读中 {0} 次一致"),
    "resources": ("Resources", "资源"),
    "cpu": ("CPU time", "CPU 时间"),
    "memory": ("Peak memory", "内存峰值"),
    "wall": ("Wall time", "墙钟时间"),
    "allowed": ("{} of {}", "{} / {}"),
    "isolation": ("Isolation", "隔离"),
    "isolated": ("Isolated and attested", "已隔离并核验"),
    "comparisons": ("{} of {} settings as asked", "{1} 项设置中 {0} 项符合要求"),
    "setting": ("Setting", "设置"),
    "asked": ("Asked", "要求"),
    "seen": ("Seen", "实际"),
    "as_asked": ("As asked", "是否符合"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "inside": ("What the worker saw", "沙箱内所见"),
    "provenance": ("Provenance", "来源"),
    "submission": ("Submission", "提交"),
    "run": ("Run", "运行"),
    "seed": ("Seed", "随机种子"),
    "started": ("Started", "开始"),
    "duration": ("Duration", "用时"),
    "image": ("Image", "镜像"),
    "backend": ("Backend", "后端"),
    "host": ("Host", "主机"),
    "gpu": ("GPU", "GPU"),
    "none": ("none", "无"),
    "versions": ("Versions", "版本"),
    "secret": ("Interviewers only: names hidden checks and holds the seed.", "仅限面试官：含隐藏检查名称与随机种子。"),
    "for_you": ("Your results", "你的结果"),
    "made_by": ("Made by grader {} from stored results; nothing was graded again.", "由 grader {} 根据已存结果生成，未重新评分。"),
    "flag_injection": ("speaks to the grader", "对评分者下指令"),
    "flag_stuffed": ("key words stuffed", "堆砌关键词"),
    "flag_copied_question": ("question copied", "照抄题目"),
    "flag_repetition": ("repeats itself", "逐字重复"),
    "flag_other_question": ("answers another question", "答非所问"),
    "flag_negated": ("denies what it names", "通篇否定"),
    "flag_llm_disagrees": ("language model disagrees", "语言模型有异议"),
    "points_word": ("points", "分"),
    "review_count": ("{} to review", "{} 题待复核"),
    "behind": ("Behind the scores", "评分依据"),
    "these_checks": ("Which checks", "涉及的检查"),
    "same": ("The same in {} checks", "{} 项检查同样如此"),
    "check": ("Check", "检查"),
    "seen_by": ("Visibility", "可见性"),
    "questions": ("Questions", "问题"),
    "verdict_word": ("Verdict", "判定"),
    "answer": ("Answer", "作答"),
    "point": ("Point", "要点"),
    "out_passed": ("passed", "通过"),
    "out_failed": ("wrong answer", "结果错误"),
    "out_raised": ("raised an exception", "抛出异常"),
    "out_timeout": ("too slow", "超时"),
    "out_memory": ("out of memory", "内存不足"),
    "out_crashed": ("process ended", "进程意外结束"),
    "out_invalid": ("nothing to call", "没有可调用的函数"),
    "out_output_limit": ("too much output", "输出过多"),
    "out_protocol": ("broke the protocol", "违反协议"),
    "out_blocked": ("not judged", "未判定"),
    "out_task_broken": ("task broken (our fault)", "题目有误（我方责任）"),
    "out_sandbox_down": ("sandbox down (our fault)", "沙箱故障（我方责任）"),
}  # fmt: skip


class Words(SimpleNamespace):
    """The fixed words as attributes, and how a record's texts read in the language. A missing word is an error."""

    lang: str

    def __getitem__(self, name: str) -> str:
        """The word of a code: a status, a band."""
        word: str = getattr(self, name)
        return word

    def text(self, row: Json, name: str) -> str:
        """A text of a record in the page's language; English where there is no other."""
        chosen: str = (row[name + "_zh"] if self.lang == "zh" else "") or row[name]
        return chosen

    def outcome(self, code: str) -> str:
        """How a check ended."""
        word: str = getattr(self, "out_" + code)
        return word

    def verdict(self, code: str) -> str:
        """Of a point of a written answer."""
        return words_in(self.lang).get(code, code)

    def language(self, code: str) -> str:
        """Of an answer."""
        return words_in(self.lang).get(f"language {code}", code)

    def flag(self, code: str) -> str:
        """What a flag of an answer means."""
        return flag_in_words(code, self.lang)

    def reason(self, text: str) -> str:
        """Why a point has its verdict."""
        return reason_in_words(text, self.lang)

    def noted(self, text: str) -> str:
        """What intake noted, of answers and of code."""
        return in_words(note_in_words(text, self.lang), self.lang)

    def said(self, text: str) -> str:
        """A message of a check: lines of ours in the page's language."""
        return in_words(text, self.lang)


def words(lang: str) -> Words:
    """The words of "zh", else English."""
    chinese = lang == "zh"
    return Words(lang="zh" if chinese else "en", **{name: pair[chinese] for name, pair in _PAIRS.items()})
