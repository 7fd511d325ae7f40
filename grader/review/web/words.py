"""The words of the page, in English and Chinese."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    "en": {
        "title": "Review", "other language": "中文", "skip": "Skip to the content", "help": "Help",
        "queue": "Queue", "back": "Back to the queue", "reviewer": "Reviewer", "change": "change",
        "your name": "Your name", "who": "Say who you are; the name is kept with each decision.", "save": "Save",
        "start": "Start", "candidate": "Candidate", "question": "Question or criterion", "state": "State",
        "filter": "Filter", "everyone": "all", "clear": "Show all", "place": "Answer", "score": "Machine",
        "reviewed score": "Reviewed", "why": "Why look", "nothing": "Nothing here.", "more": "{} more; use the filter.",
        "all": "all", "review": "needs a person", "open": "not reviewed", "done": "reviewed", "empty": "not answered",
        "progress": "{done} of {all} answers that need a person are reviewed",
        "progress none": "No answer needs a person", "progress also": "{} others reviewed",
        "decided": "{done} of {all} decided", "previous": "Previous", "next": "Next", "position": "{} of {}",
        "answer": "Answer", "no answer text": "The report does not hold the text: it was graded by an earlier version, "
        "or nothing was handed in. Grade again to see it here.",
        "points": "Points", "checks": "Checks", "offline": "Offline grader", "model": "Language model",
        "no opinion": "No opinion: {}", "confidence": "confidence {}", "agreement": "{} of {} samples agree",
        "disagree": "The two disagree", "low": "low confidence", "quote": "Quoted", "model sentence": "Earns the point",
        "rubric changed": "The rubric has changed since this was graded.", "corrections": "Errors of the source that the rubric does not follow",
        "expected": "Expected and found", "raised at": "Raised at", "printed": "Printed", "hint": "Hint",
        "diagnosis": "Likely causes", "ask": "Ask", "history": "History", "human": "Decided",
        "no decision": "Not decided", "accept": "Accept", "accept all": "Accept all the rest", "none": "none",
        "half": "half", "full": "all", "other": "Other points", "give": "Points for", "of": "of", "reason": "Reason",
        "reason hint": "Kept with your name and the time. The candidate does not see it.", "cancel": "Cancel",
        "take back": "Take back", "taken back": "taken back", "undo": "Undo my last decision", "set aside": "Not counted",
        "accepted": "accepted the machine's points", "withdrawn": "taken back",
        "saved": "Saved: {}", "saved all": "Accepted: {}", "undone": "Taken back: {}", "nothing to undo": "Nothing to undo.",
        "finished": "All answers that need a person are reviewed.", "hello": "Reviewing as {}.",
        "conflict": "Somebody else was faster", "conflict text": "This was decided since you opened the page; what is "
        "there now is shown below. Yours was not saved: {}. Save again to overrule, or leave it.",
        "conflict all": "Part of it was decided since you opened the page. Nothing of yours was saved; look again.",
        "conflict undo": "Somebody decided anew since; nothing was taken back.",
        "regraded": "The submission was graded again since you opened the page. Nothing was saved; look again.",
        "wrong": "Not saved", "missing": "There is no such answer any more.", "keys": "Keys",
        "key a": "accept the machine's points", "key A": "accept all points that are not decided",
        "key 0": "no points, half, all: then the reason, then Enter", "key o": "other points",
        "key u": "take back your last decision", "key jk": "next and previous point, then answer",
        "key np": "next and previous answer", "key q": "back to the queue", "key help": "this help", "key esc": "leave a form",
        "keys on": "Single keys act", "close": "Close", "note": "What you decide is kept in review.json beside the report; "
        "the machine's scores stay beside it.", "door": "This page is private",
        "door text": "Open the address that `grader review` printed, with its token. "
        "If the command was started again, there is a new one.",
        "trouble": "This did not work", "disagreement": "a point: language model and offline grader differ",
        "low_confidence": "a verdict with low confidence", "evidence of": "evidence of point {}", "llm_quote_not_in_answer": "its quote is not in the answer",
        "llm_quote_is_the_question": "its quote is the question", "llm_no_majority": "its samples differ",
    },
    "zh": {
        "title": "复核", "other language": "English", "skip": "跳到正文", "help": "帮助",
        "queue": "队列", "back": "返回队列", "reviewer": "复核人", "change": "更改",
        "your name": "你的姓名", "who": "请填写姓名，每次裁定都会署名保存。", "save": "保存",
        "start": "开始", "candidate": "候选人", "question": "题目或评分项", "state": "状态",
        "filter": "筛选", "everyone": "全部", "clear": "显示全部", "place": "作答", "score": "机器评分",
        "reviewed score": "复核后", "why": "复核原因", "nothing": "没有条目。", "more": "另有 {} 条，请用筛选缩小范围。",
        "all": "全部", "review": "需人工复核", "open": "未复核", "done": "已复核", "empty": "未作答",
        "progress": "需人工复核的 {all} 份作答中，已完成 {done} 份",
        "progress none": "没有需要人工复核的作答", "progress also": "另复核了 {} 份",
        "decided": "已裁定 {done} / {all}", "previous": "上一份", "next": "下一份", "position": "第 {} 份，共 {} 份",
        "answer": "作答原文", "no answer text": "报告中没有原文：可能由旧版本评分，或没有提交内容。重新评分后即可在此查看。",
        "points": "得分点", "checks": "检查项", "offline": "离线评分", "model": "语言模型",
        "no opinion": "没有结论：{}", "confidence": "置信度 {}", "agreement": "{} / {} 次采样一致",
        "disagree": "两者结论不一致", "low": "置信度低", "quote": "引文", "model sentence": "满分表述",
        "rubric changed": "评分之后，评分标准已有改动。", "corrections": "原始资料中的错误（评分标准已更正）",
        "expected": "预期与实际", "raised at": "抛出位置", "printed": "输出", "hint": "提示",
        "diagnosis": "可能原因", "ask": "可追问", "history": "记录", "human": "已裁定",
        "no decision": "尚未裁定", "accept": "认可", "accept all": "认可其余全部", "none": "零分",
        "half": "一半", "full": "满分", "other": "其他分数", "give": "给分：", "of": "/", "reason": "理由",
        "reason hint": "与姓名、时间一起保存，候选人看不到。", "cancel": "取消",
        "take back": "撤回", "taken back": "已撤回", "undo": "撤销我的上一次裁定", "set aside": "未计入",
        "accepted": "认可机器评分", "withdrawn": "撤回",
        "saved": "已保存：{}", "saved all": "已认可：{}", "undone": "已撤回：{}", "nothing to undo": "没有可以撤销的裁定。",
        "finished": "需人工复核的作答已全部完成。", "hello": "当前复核人：{}。",
        "conflict": "别人先作了裁定", "conflict text": "你打开页面之后，这一项已有新的裁定，当前结果见下方。"
        "你的裁定没有保存：{}。再次保存即以你的为准，也可以保持现状。",
        "conflict all": "你打开页面之后，其中一部分已有新的裁定。你的操作没有保存，请重新查看。",
        "conflict undo": "之后已有新的裁定，没有撤回任何内容。",
        "regraded": "你打开页面之后，该提交已重新评分。没有保存任何内容，请重新查看。",
        "wrong": "没有保存", "missing": "这份作答已不存在。", "keys": "按键",
        "key a": "认可机器评分", "key A": "认可所有尚未裁定的得分点",
        "key 0": "零分、一半、满分；随后填写理由并按回车", "key o": "其他分数",
        "key u": "撤销你的上一次裁定", "key jk": "下一个、上一个得分点，到头后换下一份作答",
        "key np": "下一份、上一份作答", "key q": "返回队列", "key help": "显示帮助", "key esc": "离开表单",
        "keys on": "启用单键操作", "close": "关闭", "note": "裁定保存在报告旁的 review.json 中，机器评分并列保留。",
        "door": "此页面不公开",
        "door text": "请打开 `grader review` 打印的完整地址（含令牌）。如果命令重新启动过，地址会更换。",
        "trouble": "操作未成功", "disagreement": "某得分点上语言模型与离线评分不一致",
        "low_confidence": "有置信度低的判定", "evidence of": "第 {} 个得分点的依据", "llm_quote_not_in_answer": "引文不在作答中", "llm_quote_is_the_question": "引文是题目本身",
        "llm_no_majority": "多次采样结论不一",
    },
}  # fmt: skip


def words_of(lang: str) -> dict[str, str]:
    """The words of a language."""
    return WORDS["zh" if lang == "zh" else "en"]
