"""Formulas, drawn data and the trainings that several hidden checks share.

Everything algebraic is compared with float64 numpy. Probes of `attention` and `build_mha` that need a mask use
`senses`: where a candidate means "hidden" by True, that is deducted once (check `mask_convention`), and the
other probes hand over masks in the candidate's own sense.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import require
from grader.judge.maths import log_softmax, softmax

Array = NDArray[Any]
Floats = NDArray[np.float64]
Tokens = NDArray[np.int64]

TRAIN_CPU_S = 60
"""The limit of one training call, as PROMPT.md states it."""
LARGE = 1e6
"""Numbers of a candidate are cut off here, so that our own arithmetic cannot overflow."""
HIDDEN = -1e30
"""A score that gets no weight."""


# --- formulas --------------------------------------------------------------------------------------


def normal(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Standard normal float32 numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def scores_of(q: Array, k: Array) -> Floats:
    """Unscaled scores (B, H, Tq, Tk)."""
    return np.asarray(q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2))


def weights_of(q: Array, k: Array, mask: Array | None = None) -> Floats:
    """The weights that the formula gives."""
    scores = scores_of(q, k) / np.sqrt(q.shape[-1])
    return softmax(scores if mask is None else np.where(mask, scores, HIDDEN))


def over(scores: Floats, axes: tuple[int, ...]) -> Floats:
    """Softmax over any axes: what a wrong `dim` gives."""
    exponents = np.exp(scores - scores.max(axis=axes, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=axes, keepdims=True))


def plain_slips(q: Array, k: Array) -> dict[str, Floats]:
    """The weights under each known slip, without a mask."""
    raw, dk, heads = scores_of(q, k), q.shape[-1], q.shape[1]
    scaled = raw / np.sqrt(dk)
    return {
        "missing_scale": softmax(raw),
        "scaled_by_dk": softmax(raw / dk),
        "scaled_by_d_model": softmax(raw / np.sqrt(heads * dk)),
        "scale_multiplied": softmax(raw * np.sqrt(dk)),
        "softmax_over_queries": over(scaled, (-2,)),
        "softmax_over_heads": over(scaled, (1,)),
        "softmax_over_all": over(scaled, (-2, -1)),
        "no_softmax": scaled,
    }


def masked_slips(q: Array, k: Array, mask: Array) -> dict[str, Floats]:
    """The weights under each known slip with a mask (True = may attend), which hides some keys from each query."""
    scaled = scores_of(q, k) / np.sqrt(q.shape[-1])
    return {
        "mask_inverted": softmax(np.where(mask, HIDDEN, scaled)),
        "mask_ignored": softmax(scaled),
        "mask_after_softmax": softmax(scaled) * mask,
        "mask_multiplies_scores": softmax(scaled * mask),
        "mask_added_as_number": softmax(scaled + mask),
        "one_mask_for_all": softmax(np.where(mask[:1], scaled, HIDDEN)),
    }


# --- attention and multi-head attention ------------------------------------------------------------


@dataclass(frozen=True)
class Sense:
    """How a candidate reads a mask."""

    inverted: bool

    def __call__(self, mask: Array) -> Array:
        """`mask` (True = may attend) as this candidate means it."""
        return np.ascontiguousarray(~mask if self.inverted else mask)


def bounded(array: Array) -> Floats:
    """As float64, cut off at `LARGE`."""
    return np.clip(array.astype(np.float64), -LARGE, LARGE)


def attend(candidate: Any, q: Array, k: Array, v: Array, mask: Array | None = None) -> Floats:
    """The output of `attention` (B, H, Tq, dv)."""
    answer = candidate.call("attention", q, k, v) if mask is None else candidate.call("attention", q, k, v, mask)
    return bounded(answer.tensor(shape=(*q.shape[:3], v.shape[-1]), dtype="floating", what="attention"))


def weigh(candidate: Any, q: Array, k: Array, mask: Array | None = None) -> Floats:
    """The weights (B, H, Tq, Tk) that `attention` works with: its output for values that are unit vectors.

    So it costs nothing here that a candidate returns no weights: that is another check's business.
    """
    B, H, Tk, _ = k.shape
    unit = np.broadcast_to(np.eye(Tk, dtype=np.float32), (B, H, Tk, Tk)).copy()
    return attend(candidate, q, k, unit, mask)


def new_mha(candidate: Any, d_model: int, n_heads: int, dropout: float = 0.0) -> Callable[..., Floats]:
    """A new module of `build_mha` in evaluation mode, as a function of arrays."""
    module = candidate.call("build_mha", d_model, n_heads, dropout).handle(what="the module of build_mha")
    module.eval()

    def run(query: Array, key: Array, value: Array, mask: Array | None = None) -> Floats:
        answer = module(query, key, value) if mask is None else module(query, key, value, mask)
        shape = (*query.shape[:2], d_model)
        return bounded(answer.tensor(shape=shape, dtype="floating", what="the module of build_mha"))

    run.module = module  # type: ignore[attr-defined]  # for its mode and its parameters
    return run


@dataclass(frozen=True)
class Senses:
    """How masks are read by `attention` and by the module of `build_mha`; each raises what the call raises."""

    attention: Callable[[], Sense]
    mha: Callable[[], Sense]


def sense_of_attention(candidate: Any) -> Sense:
    """Inverted where all the weight goes to keys whose mask is False."""
    rng = np.random.default_rng(1)
    q, k = normal(rng, 2, 2, 4, 8), normal(rng, 2, 2, 6, 8)
    mask = np.broadcast_to(np.arange(6) < 3, (2, 2, 4, 6)).copy()
    weights = np.abs(weigh(candidate, q, k, mask))
    return Sense(bool(weights[mask].sum() < 1e-4 * weights.sum()))


def sense_of_mha(candidate: Any) -> Sense:
    """Inverted where only keys and values whose mask is False move the output."""
    rng = np.random.default_rng(2)
    run, query, memory = new_mha(candidate, 16, 2), normal(rng, 2, 3, 16), normal(rng, 2, 6, 16)
    allowed = np.arange(6) < 3
    mask = np.broadcast_to(allowed, (2, 3, 6)).copy()
    base, change = run(query, memory, memory, mask), normal(rng, 2, 6, 16)
    seen, unseen = (memory + change * part[:, None].astype(np.float32) for part in (allowed, ~allowed))
    moved = [float(np.abs(run(query, keys, keys, mask) - base).max()) for keys in (seen, unseen)]
    return Sense(moved[0] < 1e-6 < moved[1])


# --- whole models ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sizes:
    """Arguments of `build_transformer`."""

    src_vocab: int = 13
    tgt_vocab: int = 11
    d_model: int = 32
    n_heads: int = 4
    n_layers: int = 2
    d_ff: int = 64
    dropout: float = 0.0
    pad_id: int = 3
    max_len: int = 24


@dataclass(frozen=True)
class Net:
    """A candidate's model as a function of token arrays."""

    candidate: Any
    handle: Any
    sizes: Sizes

    def __call__(self, src: Array, tgt: Array, *, finite: bool = True) -> Floats:
        """Log-probabilities (B, T, tgt_vocab), NaN where not finite and that is allowed.

        Logits, log-probabilities and flattened rows are all understood.
        """
        answer = self.handle(src, tgt).tensor(dtype="floating", what="the logits", finite=finite)
        B, T, V = *tgt.shape, self.sizes.tgt_vocab
        require(answer.shape in ((B, T, V), (B * T, V)), f"the logits have the shape {answer.shape}, not {(B, T, V)}")
        rows = answer.reshape(B, T, V)
        known = np.isfinite(rows)
        return np.where(known, log_softmax(bounded(np.where(known, rows, 0.0))), np.nan)

    def tokens(self, rng: np.random.Generator, B: int, T: int, *, source: bool = True) -> Tokens:
        """(B, T) tokens without padding."""
        size = self.sizes.src_vocab if source else self.sizes.tgt_vocab
        return rng.choice(np.delete(np.arange(size), self.sizes.pad_id), (B, T))

    def pads(self, B: int, T: int) -> Tokens:
        """(B, T) of padding."""
        return np.full((B, T), self.sizes.pad_id)


def new_net(candidate: Any, *, mode: str = "eval", **sizes: Any) -> Net:
    """A new model of those sizes, in evaluation mode unless said otherwise."""
    wanted = Sizes(**sizes)
    values = [getattr(wanted, name) for name in wanted.__dataclass_fields__]
    handle = candidate.call("build_transformer", *values).handle(what="the model")
    if mode == "eval":
        handle.eval()
    else:
        handle.train()
    return Net(candidate, handle, wanted)


# --- learning --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """Sequences with their targets, padded on the right: src, tgt_in, tgt_out (N, T) and lengths (N,)."""

    src: Tokens
    tgt_in: Tokens
    tgt_out: Tokens
    lengths: Tokens

    @property
    def real(self) -> NDArray[np.bool_]:
        """(N, T): True up to each sequence's length."""
        return np.arange(self.tgt_out.shape[1]) < self.lengths[:, None]


@dataclass(frozen=True)
class Lesson:
    """A task to learn: data for training and testing, the model's sizes, and how it is trained."""

    train: Pairs
    test: Pairs
    sizes: Mapping[str, Any]
    bos_id: int
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One training: the model, what `train_seq2seq` returned, and what was learned."""

    lesson: Lesson
    net: Net
    log: Any
    before: Mapping[str, Array]
    device: str

    def decode(self, src: Tokens, length: int) -> Tokens:
        """`greedy_decode` (B, length). Whole floats are understood: they cost their marks in `decode_shape`, once."""
        answer = self.net.candidate.call("greedy_decode", self.net.handle, src, self.lesson.bos_id, length)
        found = answer.tensor(shape=(len(src), length), dtype="any", what="greedy_decode")
        require(found.dtype.kind in "iuf", f"greedy_decode: {found.dtype} is no kind of token")
        return np.rint(np.clip(found.astype(np.float64), -LARGE, LARGE)).astype(np.int64)

    def tested(self) -> Tokens:
        """The decoded test sequences (N, T)."""
        return self.decode(self.lesson.test.src, self.lesson.test.tgt_out.shape[1])

    def score(self) -> float:
        """Share of the test tokens, up to each sequence's length, that greedy decoding finds."""
        test = self.lesson.test
        return float(np.mean((self.tested() == test.tgt_out)[test.real]))

    def scorer(self) -> Net:
        """The trained model in evaluation mode on the CPU."""
        net = self.net
        if self.device != "cpu":
            net = new_net(net.candidate, **self.lesson.sizes)
            net.handle.load_state_of(self.net.handle)
        net.handle.eval()
        return net


def follows(net: Net, src: Tokens, decoded: Tokens, bos_id: int, counted: Array) -> float:
    """Share of decoded tokens (where `counted`) that are the model's most probable ones after what was decoded before.

    Padding and BOS may be suppressed, and near ties (1e-3 nats) may fall either way. Positions after a decoded
    padding or BOS token are left out: how they are masked is the candidate's choice.
    """
    pad = net.sizes.pad_id
    valid = (decoded >= 0) & (decoded < net.sizes.tgt_vocab)
    special = (decoded == pad) | (decoded == bos_id) | ~valid
    told = np.where(valid, decoded, bos_id)
    given = np.concatenate([np.full((len(src), 1), bos_id), told[:, :-1]], axis=1)
    # Step by step, each with the tokens before it alone: a model that sees its future must not look like a cheat.
    steps = [net(src, given[:, : t + 1])[:, t] for t in range(given.shape[1])]
    rows = np.stack(steps, axis=1)  # (B, T, tgt_vocab)
    chosen = np.take_along_axis(rows, told[..., None], axis=-1)[..., 0]
    usual = np.delete(rows, [pad, bos_id], axis=-1).max(axis=-1)
    best = np.where(special, rows.max(axis=-1), usual)
    before = np.cumsum(special, axis=1) - special > 0
    counted = counted & ~before
    return float(np.mean((valid & (chosen >= best - 1e-3))[counted])) if counted.any() else 0.0


def pairs(sources: list[Tokens], targets: list[Tokens], *, width: int, pad_id: int, bos_id: int) -> Pairs:
    """Pads sequences and shifts their targets."""
    src, tgt_in, tgt_out = (np.full((len(sources), width), pad_id) for _ in range(3))
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        src[row, : len(source)], tgt_out[row, : len(target)] = source, target
        tgt_in[row, : len(target)] = [bos_id, *target[:-1]]
    return Pairs(src, tgt_in, tgt_out, np.array([len(target) for target in targets]))


SYMBOLS = 8
LONGEST = 5
TRAIN_PAIRS, TEST_PAIRS = 6000, 200
SETTINGS = {"steps": 500, "batch_size": 64, "lr": 3e-3}
"""About 4 s of CPU time for the reference. docs/validity-transformer.md has what correct solutions reach."""
SMALL = {"d_model": 48, "n_heads": 4, "n_layers": 1, "d_ff": 96, "dropout": 0.0, "max_len": 16}


def reversal(rng: np.random.Generator) -> Lesson:
    """Reverse sequences of 2 to 5 of eight symbols."""

    def draw(count: int) -> Pairs:
        sources = [rng.integers(2, 2 + SYMBOLS, rng.integers(2, LONGEST + 1)) for _ in range(count)]
        return pairs(sources, [source[::-1] for source in sources], width=LONGEST, pad_id=0, bos_id=1)

    train, test = draw(TRAIN_PAIRS), draw(TEST_PAIRS)
    return Lesson(train, test, {**SMALL, "src_vocab": 10, "tgt_vocab": 10, "pad_id": 0}, bos_id=1, settings=SETTINGS)


def drawn_order(rng: np.random.Generator) -> Lesson:
    """Sort distinct symbols by a drawn ranking and write them in drawn target ids; padding is not 0."""
    pad_id = int(rng.integers(2, 7))
    src_ids = rng.permutation(np.delete(np.arange(12), pad_id))[:SYMBOLS]
    free = rng.permutation(np.delete(np.arange(14), pad_id))
    tgt_ids, bos_id, rank = free[:SYMBOLS], int(free[SYMBOLS]), rng.permutation(SYMBOLS)

    def draw(count: int) -> Pairs:
        chosen = [rng.permutation(SYMBOLS)[: rng.integers(2, LONGEST + 1)] for _ in range(count)]
        targets = [tgt_ids[symbols[np.argsort(rank[symbols])]] for symbols in chosen]
        return pairs([src_ids[symbols] for symbols in chosen], targets, width=LONGEST, pad_id=pad_id, bos_id=bos_id)

    train, test = draw(TRAIN_PAIRS), draw(TEST_PAIRS)
    sizes = {**SMALL, "src_vocab": 12, "tgt_vocab": 14, "pad_id": pad_id}
    return Lesson(train, test, sizes, bos_id=bos_id, settings=SETTINGS)


@dataclass(frozen=True)
class Lessons:
    """Everything that is drawn for one run."""

    reversal: Lesson
    drawn: Lesson


def learn(candidate: Any, lesson: Lesson, *, seed: int, device: str) -> Run:
    """Builds a model for `lesson` and trains it within the limit that PROMPT.md states."""
    net = new_net(candidate, **lesson.sizes)
    before, data = net.handle.state(), lesson.train
    log = candidate.within(cpu_s=TRAIN_CPU_S).call(
        "train_seq2seq", net.handle, data.src, data.tgt_in, data.tgt_out, **lesson.settings, seed=seed, device=device
    )
    return Run(lesson, net, log, before, device)


# --- fixtures --------------------------------------------------------------------------------------


SHARED = (normal, weights_of, plain_slips, masked_slips, attend, weigh, new_mha, new_net, follows, bounded)


@pytest.fixture(scope="session")
def tools() -> SimpleNamespace:
    """Formulas and adapters: test files cannot import each other."""
    return SimpleNamespace(**{function.__name__: function for function in SHARED})


@pytest.fixture(scope="session")
def senses(shared: Any) -> Senses:
    """How the candidate reads masks, found once."""
    return Senses(shared(sense_of_attention), shared(sense_of_mha))


@pytest.fixture(scope="session")
def lessons(drawn: np.random.Generator) -> Lessons:
    """All of it in one go, so that the draw does not depend on which checks run."""
    return Lessons(reversal(drawn), drawn_order(drawn))


@pytest.fixture(scope="session")
def learner(device: str) -> Callable[..., Run]:
    """`learn` on the run's device."""
    return lambda candidate, lesson, *, seed: learn(candidate, lesson, seed=seed, device=device)


@pytest.fixture(scope="session")
def reversal_run(shared: Any, lessons: Lessons, learner: Callable[..., Run]) -> Callable[[], Run]:
    """The main training: reversing."""
    return shared(lambda candidate: learner(candidate, lessons.reversal, seed=7))


@pytest.fixture(scope="session")
def drawn_run(shared: Any, lessons: Lessons, learner: Callable[..., Run]) -> Callable[[], Run]:
    """The drawn task."""
    return shared(lambda candidate: learner(candidate, lessons.drawn, seed=8))
