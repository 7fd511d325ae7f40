"""Word lists of both languages: negation, contrast, function words, antonyms. Facts about language, not about a rubric.

Folded forms only (see `normalize`): lower case, simplified Chinese.
"""

from __future__ import annotations

NEGATORS_EN = frozenset("not no nothing nobody never without neither nor hardly barely cannot".split())
"""`n't` and `cannot` are split into their verb and `not` before this list is asked."""

NEGATORS_ZH = (
    "并不是", "并没有", "不需要", "不可以", "不应该", "而不是", "而非", "并非", "没有", "不会", "不能", "不是", "无法", "无需", "不必",
    "不用", "不要", "不应", "不可", "并不", "从不", "绝不", "毫无", "不", "没", "无", "未", "非", "勿",
)  # fmt: skip
"""Longest first."""

NOT_NEGATING_ZH = (
    "不得不", "不能不", "不可不", "不会不", "无不", "非但", "不可避免", "不可或缺", "必不可少", "缺一不可", "不仅仅", "不仅", "不但", "不只", "不光", "不单",
    "不同", "不断", "不过", "不管", "不论", "不妨", "不少", "不错", "不稳", "不足", "不均", "不平衡", "不够", "不确定", "不一致", "不一样",
    "不一定", "不重要的", "不相关的", "不必要的", "不常见的", "不可靠的", "不准确的", "不完整的", "没见过的", "没有见过的", "没有标注的", "没标注的", "没用的", "不良", "不当", "不变", "不等", "不对称", "不匹配", "不可见", "不可微", "不可导", "是不是", "能不能", "会不会", "有没有", "差不多", "要不",
    "非常", "除非", "非线性", "非结构化", "非凸", "非自回归", "非参数", "非均匀", "非目标", "非对抗", "非平稳", "非法", "是非", "未来", "未知", "未见",
    "未必", "尚未", "无论", "无监督", "无疑", "无损", "无穷", "无限", "无标注", "无标签", "无关", "无害", "无效", "无用", "无偏", "无意", "无人", "无线",
    "不然", "绝不能", "不得", "不准", "不许", "不允许", "不见得", "不总是", "肯不肯", "要不要", "好不好", "行不行", "没错", "没想到", "毫无疑问",
)  # fmt: skip
"""Words with a negator's character that negate nothing, or whose negation is part of the word's meaning."""

NOT_NEGATING_EN = (
    ("not", "only"), ("not", "just"), ("not", "merely"), ("not", "simply"), ("no", "doubt"), ("no", "matter"), ("not", "necessarily"),
    ("not", "to", "mention"), ("why", "not"), ("if", "not"), ("or", "not"), ("no", "free"), ("nor", "only"),
)  # fmt: skip

NEGATING_ZH = ("不足以",)
"""Words that negate although a word of `NOT_NEGATING_ZH` is in them."""

HEDGES_EN = (("not", "necessarily"), ("not", "always"), ("not", "per", "se"), ("not", "by", "itself"))
HEDGES_ZH = ("不一定", "未必", "不见得", "不总是", "不必然")
"""Who says "not necessarily" does not hold the misconception."""

PREVENTED_EN = frozenset(
    "cause leak cross lead exceed overfit forget allow mix diverge explode vanish lose hurt harm waste padding".split()
)
"""What is denied to say that it is prevented: "the mask does not cross documents"."""
PREVENTED_ZH = ("导致", "造成", "引起", "泄漏", "泄露", "跨", "串", "超过", "溢出", "遗忘", "发散", "丢失", "损害")

GUARANTEES_EN = frozenset("guarantee ensure prove mean imply".split())
GUARANTEES_ZH = ("保证", "确保", "说明", "证明", "意味", "代表")
"""After a negator, what follows is denied though it is negative itself: 不能保证没有泄漏."""

GOES_ON_EN = frozenset("it they each every all but instead rather only this these we".split())
GOES_ON_ZH = tuple("它每而只都其各反但")
"""How a clause begins that puts right what the one before it denied: "X does not A, it B"."""

FRAMES_EN = (
    "it is not true that", "it is not the case that", "it is not correct that", "it is not right that", "it is untrue that", "it is false that",
    "it is wrong that", "it is incorrect that", "it is a myth that", "i do not think that", "i do not think", "i do not believe that", "i do not believe",
    "it is not correct to say", "it is wrong to say", "it is false to say", "nobody should say", "no one should claim",
)  # fmt: skip
FRAMES_ZH = (
    "并不是说",
    "不是说",
    "我不认为",
    "我不觉得",
    "我不相信",
    "不能说",
    "不应该说",
    "不可能是",
    "这是错的",
    "以下说法不对",
    "并非如此",
)
"""How a sentence begins that denies all of itself, up to a contrast."""
CONTRASTS_EN = frozenset("but instead rather however".split())
CONTRASTS_ZH = ("而是", "但", "其实", "实际上", "而应", "反而", "不过")

CLAUSE_STARTS_EN = frozenset(
    "but however instead rather whereas while although though because since so therefore which".split()
)
"""A clause begins at these words also where no comma stands."""

AND_NOT_EN = tuple(
    f"and {words} "
    for words in ("never", "not", "no longer", *(f"{verb} not" for verb in "do does did is are was were has have will can should must need".split()),
                  "don't", "doesn't", "isn't", "aren't", "won't", "can't", "cannot")
)  # fmt: skip
"""Of "does A and never does B" only B is denied."""

CLAUSE_STARTS_ZH = (
    "而不是", "而非", "而是", "但是", "不过", "然而", "反而", "因为", "所以", "因此", "从而", "以便", "否则", "但", "却",
)  # fmt: skip

CONDITIONALS_EN = frozenset("if unless when where otherwise without".split())
CONDITIONALS_ZH = ("如果", "若", "一旦", "假如", "要是", "倘若", "否则")
LACKS_ZH = ("没有", "缺少", "不用", "不做", "不加")
CONSEQUENCES_ZH = ("就", "会", "则", "导致", "容易", "造成", "难以")
"""Conditional and consequence: "without warm-up the loss diverges" denies nothing."""

GENERIC_PREDICATES_EN = frozenset(
    "help work matter need necessary use useful improve reduce solve prevent do apply require relevant important affect effect"
    " effective benefit true possible change increase decrease lower raise make get keep cut save shrink stabilize speed limit bound"
    " fix cure point matter pay bring contribute alleviate mitigate allow enable let support".split()
)
EXCUSES_EN = frozenset("need needed necessary reason point use worth required".split())
EXCUSES_ZH = ("没有必要", "没必要", "不需要", "不必", "无需", "不用", "不应", "不该", "不要", "没有理由")
"""With a negator: nobody has to do what follows."""

NOT_IN_ITEM_EN = frozenset(
    "is are was were be been has have had will would should can could may might must do does did it they we you he she i "
    "so but because which that while whereas if when where since although though however instead rather only then also "
    "use keep add make let train pick choose take run check such including like".split()
)
"""What a member of a list does not hold; a clause with one of these says something of its own."""

GENERIC_PREDICATES_ZH = (
    "有用", "有效", "需要", "必要", "重要", "起作用", "帮助", "解决", "影响", "关系", "改善", "提高", "提升", "降低", "减少", "缓解", "用", "做",
    "成立", "可能", "行", "起", "使用", "采用", "考虑",
)  # fmt: skip

FUNCTION_EN = frozenset(
    "a an the this that these those it its they them their he she we you i our your my one some any each every all both such "
    "of in on at by for with to from into onto over under between across through during before after until within against "
    "about as than like per via upon among and or but nor so yet because since while although though if unless when where "
    "which who whom whose what how why is are was were be been being am do does did done has have had having will would "
    "shall should can could may might must not no never there here then also too very more most much many less few only "
    "just even still already often usually always sometimes because therefore thus hence however instead rather".split()
)
"""Words that join others; a text of key words has few of them."""

DETERMINERS_EN = frozenset("a an the this these those its their our your my each every".split())
PRONOUNS_EN = frozenset("it they we you he she i them us him not when where there then also".split())
"""With adverbs that no article stands before."""
PREPOSITIONS_EN = frozenset("of in on at by for with from into onto between during against among via per to".split())
AUXILIARIES_EN = frozenset(
    "is are was were be been has have had will would should can could may might must do does did".split()
)

CONJUNCTIONS_EN = frozenset("and or so which that because but if as than".split())
AFTER_AUXILIARY_EN = frozenset("in on at by for with from of to per during".split())
"""Prepositions that may follow an auxiliary: "is in", "are for"."""

FUNCTION_ZH = frozenset(
    "的了是在和与用会能可以要让把被使对从到为而且或则就都也还将其这那需通过因所导致即比更等及并由于若但它们我你他中里上下后前时有做进行应该先再让给跟同"
)
"""Characters that join; see `FUNCTION_EN`."""

ANTONYMS = (
    ("increase", "decrease"), ("raise", "lower"), ("increase", "reduce"), ("higher", "lower"), ("larger", "smaller"), ("more", "fewer"),
    ("more", "less"), ("freeze", "unfreeze"), ("freeze", "update"), ("upper", "lower"), ("before", "after"), ("faster", "slower"),
    ("accelerate", "slow"), ("shrink", "grow"), ("compress", "expand"), ("stable", "unstable"), ("improve", "worsen"),
    ("overfit", "underfit"), ("above", "below"), ("maximize", "minimize"), ("enable", "disable"), ("add", "remove"),
    ("增大", "减小"), ("增加", "减少"), ("提高", "降低"), ("提升", "降低"), ("上升", "下降"), ("调大", "调小"), ("调高", "调低"), ("升高", "降低"),
    ("更大", "更小"), ("更高", "更低"), ("更多", "更少"), ("冻结", "更新"), ("冻结", "解冻"), ("上三角", "下三角"), ("之前", "之后"), ("加快", "减慢"),
    ("加速", "减速"), ("变大", "变小"), ("过拟合", "欠拟合"), ("最大化", "最小化"), ("高于", "低于"), ("稳定", "不稳定"), ("改善", "恶化"),
)  # fmt: skip
"""Pairs that turn a statement into its opposite."""

NON_ANSWERS = frozenset(
    "不知道 不会 不清楚 没学过 没有答案 略 无 暂无 跳过 不了解 idontknow dontknow noidea noanswer nosubmission na none skip pass tbd todo idk notsure".split()
)
"""Whole answers that are none, without spaces and punctuation."""

TO_GRADER = (
    "give full marks", "give full score", "give maximum score", "award full points", "award full marks", "award maximum", "assign full score",
    "score 10/10", "10 out of 10", "100 out of 100", "mark as correct", "grade as correct", "grade as full", "mark all points met",
    "all points are met", "verdict met", "set score", "full credit", "perfect score", "highest score", "score every point", "score all points", "every point as met", "each point as met", "all points as met",
    "count every point", "count all points", "mark every point", "candidate already verified", "candidate already approved",
    "给 满分", "打 满分", "评 满分", "判 满分", "得 满分", "满分 处理", "满分", "最高分", "全部 判 正确", "标记 正确", "评为 正确", "所有 要点 满足", "所有 得分点", "每个 要点 满足", "每个 要点 算对", "全部 算对", "要点 都 判 满足",
)  # fmt: skip
"""Aliases of what speaks to the grader about marks: the sentence earns nothing."""

INSTRUCTIONS = (
    "ignore previous instructions", "ignore instructions above", "ignore all instructions", "disregard instructions", "disregard rubric", "ignore rubric",
    "you are a grader", "dear grader", "note to grader", "as an AI grader", "system prompt override", "=im_start", "=end of answer", "new instructions:",
    "忽略 指令", "忽略 以上", "忽略 上述", "忽略 之前", "无视 指令", "无视 以上", "忽略 评分", "你 是 评分", "评分 系统 注意", "阅卷 老师", "评分 员 注意",
)  # fmt: skip
"""Aliases of other instructions to a model: only flagged, since answers on security quote them."""

ROLES = frozenset("system assistant developer".split())
"""Who speaks in a chat with a model: no answer begins a line with "SYSTEM:"."""
