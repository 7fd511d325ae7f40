"""One list of tests for both backends: what a sandbox does with calls, values, prints and errors.

Each backend's sandbox is shared by its tests: a check's crash must not touch the next anyway. Limits, isolation and
ends are in test_contract_limits.py.
"""

from __future__ import annotations

import contextlib
import resource

import numpy as np
import pytest

from grader.judge.faults import CandidateFault
from grader.judge.proxy import Handle
from grader.model import Outcome
from tests.sandbox.rig import Rig

# --- the verbs ---------------------------------------------------------------------------------------------


def test_the_worker_says_hello_and_what_it_runs_on(rig: Rig) -> None:
    assert rig.facts
    assert rig.facts.isolated == (rig.name == "docker")
    assert {"python", "torch", "numpy"} <= set(rig.facts.versions)
    assert rig.facts.attestation["green"] == rig.facts.isolated


def test_every_verb_answers(rig: Rig) -> None:
    images = np.ones((4, 3), np.float32)
    with rig.opened() as candidate:
        assert candidate.has("build")
        assert not candidate.has("not_a_function")
        model = candidate.call("build").handle()
        facts = model.parameters()
        assert (facts.count, facts.trainable, facts.tensors) == (16, 16, 4)
        model.eval()
        first = model(images).tensor(shape=(4, 2), dtype="float32")
        assert np.array_equal(model.method("forward", images).tensor(), first)
        model.train()
        assert (model(images).tensor() == 0).any(), "dropout works in training mode"
        flow = model.gradient([images], loss="mean_square")
        assert (flow.total, flow.missing) == (4, 2)
        assert set(model.state()) == {"used.weight", "used.bias", "unused.weight", "unused.bias"}
        other = candidate.call("build").handle()
        other.load_state_of(model)
        assert np.array_equal(other.state()["used.weight"], model.state()["used.weight"])
        other.drop()
        with pytest.raises(CandidateFault) as caught:
            other(images)
        assert caught.value.outcome is Outcome.INVALID


def test_values_come_back_as_they_went(rig: Rig) -> None:
    array = np.arange(6, dtype=np.int64).reshape(2, 3)
    found = rig.value("echo", None, True, 7, 0.5, "text", [1, [2]], {"a": (1,)}, array, float("nan"))
    assert found[:7] == (None, True, 7, 0.5, "text", [1, [2]], {"a": (1,)})
    assert np.array_equal(found[7].array, array)
    assert np.isnan(found[8])


def test_each_call_is_seeded_anew(rig: Rig) -> None:
    with rig.opened() as candidate:
        draws = [tuple(candidate.call("draw").floats()) for _ in range(3)]
    assert len(set(draws)) == 3


def test_checks_share_nothing(rig: Rig) -> None:
    with rig.opened() as first, rig.opened() as second:
        model = first.call("build").handle()
        with pytest.raises(CandidateFault) as caught:
            Handle(second._line, model.object_ref)(np.ones((1, 3), np.float32))
        assert caught.value.outcome is Outcome.INVALID


def test_a_submission_in_folders_imports_its_own_modules(rig: Rig) -> None:
    with rig.opened("pkg/entry.py") as candidate:
        assert candidate.call("f").integer() == 42


# --- what is printed ----------------------------------------------------------------------------------------

FAKE_RESULT = '{"status": "ok", "score": 1.0}\nGRDR\x01\x03 1 passed in 0.01s'


def test_prints_are_captured_and_never_parsed(rig: Rig) -> None:
    rig.take_output()
    assert rig.call("say", FAKE_RESULT).integer() == len(FAKE_RESULT)
    assert rig.take_output().strip() == FAKE_RESULT
    assert rig.fault("say_and_raise", "to stderr").message.startswith("ValueError: after saying it")


def test_what_is_printed_before_an_exception_is_kept(rig: Rig) -> None:
    rig.take_output()
    with pytest.raises(CandidateFault):
        rig.call("say_and_raise", "to stderr")
    assert rig.take_output() == "to stderr\n"


def test_long_output_keeps_its_two_ends(rig: Rig) -> None:
    rig.take_output()
    rig.call("say", "start" + "." * 60_000 + "end")
    output = rig.take_output()
    assert output.startswith("start")
    assert output.endswith("end\n")
    assert "left out" in output
    assert len(output) < 20_000


def test_a_flood_of_prints_is_an_outcome_and_costs_the_judge_nothing(rig: Rig) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert rig.fault("flood").outcome is Outcome.OUTPUT_LIMIT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_forged_frames_give_no_answer_of_their_own(rig: Rig) -> None:
    """At best a forged frame spoils its own call; it never reaches another one, nor the judge."""
    sandbox = rig.hello()._sandbox
    for name, args in (("forge", ("passed",)), ("forge_on_descriptors", ())):
        with contextlib.suppress(CandidateFault):
            answer = rig.call(name, *args)
            assert answer.integer() != 42
        assert rig.call("alive").integer() == 1
    assert rig.hello()._sandbox is sandbox, "the judge has read it, and started another sandbox"


def test_there_is_nothing_to_read(rig: Rig) -> None:
    assert rig.fault("read_input").exception == "EOFError"
    assert rig.call("read_descriptor").integer() == 0


# --- exceptions and ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "name"),
    [
        *[
            (kind, kind)
            for kind in ("ValueError", "AssertionError", "SystemExit", "KeyboardInterrupt", "GeneratorExit")
        ],
        ("StopIteration", "StopIteration"),
        ("recursion", "RecursionError"),
        ("odd file", "ZeroDivisionError"),
        ("group", "ExceptionGroup"),
        ("raise", "BaseException"),
        ("huge", "BaseException"),
        ("\ud83d", "BaseException"),
    ],
)
def test_whatever_is_raised_is_a_fact_about_the_candidate(rig: Rig, how: str, name: str) -> None:
    if how == "\ud83d":
        how = "\u202e\x1b[31m"
    fault = rig.fault("fail", how)
    assert (fault.outcome, fault.exception) == (Outcome.RAISED, name)
    assert fault.location.startswith("candidate.py:")
    assert len(fault.message) < 3000


def test_a_message_that_never_ends_is_a_timeout(rig: Rig) -> None:
    assert rig.fault("fail", "endless", cpu_s=0.3).outcome is Outcome.TIMEOUT


def test_a_memory_error_is_a_memory_outcome(rig: Rig) -> None:
    assert rig.fault("fail", "MemoryError").outcome is Outcome.MEMORY


@pytest.mark.parametrize("how", ["exit", "137", "abort", "segfault", "kill"])
def test_a_process_that_ends_touches_no_other(rig: Rig, how: str) -> None:
    with rig.opened() as bystander:
        assert rig.fault("end", how).outcome is Outcome.CRASHED
        assert bystander.call("alive").integer() == 1


@pytest.mark.parametrize(
    ("entry", "outcome", "said"),
    [
        ("syntax.py", Outcome.INVALID, "syntax.py is not valid Python"),
        ("nul.py", Outcome.INVALID, "nul.py"),
        ("latin.py", Outcome.INVALID, "latin.py"),
        ("deep.py", Outcome.INVALID, "deep.py"),
        ("absent.py", Outcome.INVALID, "absent.py"),
        ("torch.py.txt", Outcome.INVALID, "torch.py.txt"),
        ("imports.py", Outcome.RAISED, "no_such_package"),
        ("raises.py", Outcome.RAISED, "KeyError"),
        ("exits.py", Outcome.RAISED, "SystemExit"),
        ("reads.py", Outcome.RAISED, "EOFError"),
        ("ends.py", Outcome.CRASHED, "ended its process"),
    ],
)
def test_a_file_that_does_not_load_says_why(rig: Rig, entry: str, outcome: Outcome, said: str) -> None:
    with pytest.raises(CandidateFault, match=said) as caught, rig.opened(entry):
        pass
    assert caught.value.outcome is outcome
    if entry == "raises.py":
        assert caught.value.location == "raises.py:5"
    assert rig.call("alive").integer() == 1


@pytest.mark.parametrize("name", ["nothing", "not_a_function", "__name__", "torch.load", "", "build.__globals__"])
def test_only_functions_of_the_file_can_be_called(rig: Rig, name: str) -> None:
    assert rig.fault(name).outcome is Outcome.INVALID


# --- odd tensors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["subclass", "requires_grad", "transposed", "expanded", "bfloat16"])
def test_dense_tensors_arrive_plain(rig: Rig, kind: str) -> None:
    found = rig.call("odd", kind).tensor(shape=(2, 3), dtype="floating")
    assert np.array_equal(found, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("sparse", Outcome.INVALID),
        ("meta", Outcome.INVALID),
        ("huge view", Outcome.OUTPUT_LIMIT),
        ("large", Outcome.OUTPUT_LIMIT),
        ("long text", Outcome.OUTPUT_LIMIT),
        ("many", Outcome.OUTPUT_LIMIT),
    ],
)
def test_other_answers_are_refused_where_they_are_made(rig: Rig, kind: str, outcome: Outcome) -> None:
    assert rig.fault("odd", kind).outcome is outcome
