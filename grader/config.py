"""The settings of a run, merged once and passed on: defaults < `--config` file < environment < flags.

Every setting is declared once, as a field of `Settings`: its default, the help that the command line shows, the
name of its flag and of its environment variable all come from there. Nothing is read from a submission or from the
current folder: what a candidate leaves there must not weaken a sandbox.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.text import sanitize_line

_GPUS = re.compile(r"none|auto|all|{0}(,{0})*".format(r"(\d+|(GPU|MIG)-[0-9A-Za-z/-]+)"))
ENVIRONMENT_PREFIX = "GRADER_"
_DEFAULT_TASKS = Path(__file__).resolve().parent.parent / "tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting as a command line, an environment variable and a TOML key know it."""

    name: str
    default: Any
    help: str
    parse: Callable[[str], Any]
    """From the text of a flag or variable; raises ValueError."""
    choices: tuple[str, ...] = ()
    metavar: str = ""
    expected: str = ""
    """What a value looks like, for the error message."""
    check: Callable[[Any], bool] = bool

    @property
    def flag(self) -> str:
        """The option of the command line, e.g. "--tasks-dir"."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, e.g. "GRADER_TASKS_DIR"."""
        return ENVIRONMENT_PREFIX + self.name.upper()


def _setting(  # noqa: PLR0913 -- one row of the table; all but the first two are by keyword
    default: Any,  # noqa: ANN401 -- a row holds any type; the field's annotation says which
    text: str,
    *,
    parse: Callable[[str], Any] = str,
    choices: tuple[str, ...] = (),
    metavar: str = "",
    expected: str = "",
    check: Callable[[Any], bool] = lambda _value: True,
) -> Any:  # noqa: ANN401 -- as dataclasses.field
    """One row of the table: a dataclass field that carries the rest of its `Option`."""
    row = {"help": text, "parse": parse, "choices": choices, "metavar": metavar, "expected": expected, "check": check}
    return field(default=default, metadata=row)


def _is_whole(minimum: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1024


def _is_price(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run may be told. None means: as the task, the engine or chance decides."""

    tasks_dir: Path = _setting(
        _DEFAULT_TASKS,
        "Folder with the tasks.",
        parse=Path,
        metavar="DIR",
        expected="a folder",
        check=lambda value: isinstance(value, Path),
    )
    backend: str = _setting(
        "docker",
        "Where candidate code runs. 'process' does not isolate: self-checks only.",
        choices=("docker", "process"),
    )
    gpus: str = _setting(
        "none",
        "GPUs to use, one for each job: none, auto, all, or indices and UUIDs such as 0,1.",
        metavar="WHICH",
        expected="none, auto, all, or indices and UUIDs such as 0,1",
        check=lambda value: isinstance(value, str) and _GPUS.fullmatch(value) is not None,
    )
    seed: int | None = _setting(
        None,
        "Seed of the hidden inputs; a secret one is drawn unless given.",
        parse=int,
        metavar="N",
        expected="a whole number from 0",
        check=_is_whole(0),
    )
    lang: str = _setting("en", "Language of reports and messages.", choices=("en", "zh"))
    image: str | None = _setting(
        None,
        "Sandbox image instead of the one built for this version.",
        metavar="NAME",
        expected="an image name",
        check=lambda value: isinstance(value, str) and value != "",
    )
    runtime: str | None = _setting(
        None,
        "OCI runtime of the sandbox, e.g. runsc; the engine's own unless given.",
        metavar="NAME",
        expected="a runtime's name",
        check=lambda value: isinstance(value, str) and value != "",
    )
    index_url: str | None = _setting(
        None,
        "Package index that image builds search in addition.",
        metavar="URL",
        expected="an http(s) or file URL",
        check=lambda value: isinstance(value, str) and re.match(r"(https?|file)://", value) is not None,
    )
    llm_base_url: str | None = _setting(
        None,
        "OpenAI-compatible endpoint for a second opinion on written answers, e.g. http://127.0.0.1:8000/v1.",
        metavar="URL",
        expected="an http(s) URL",
        check=lambda value: isinstance(value, str) and re.match(r"https?://[^/]", value) is not None,
    )
    llm_model: str | None = _setting(
        None,
        "Model that the endpoint is asked for.",
        metavar="NAME",
        expected="a model's name",
        check=lambda value: isinstance(value, str) and value != "",
    )
    llm_api_key: str | None = _setting(
        None,
        "Key of the endpoint; from the environment or a file only, never a flag that other users can see.",
        metavar="KEY",
        expected="a key",
        check=lambda value: isinstance(value, str) and value.isprintable(),
    )
    llm_input_price: float = _setting(
        0.0,
        "Price of a million input tokens, for the cost in reports.",
        parse=float,
        metavar="PRICE",
        expected="a number from 0",
        check=_is_price,
    )
    llm_output_price: float = _setting(
        0.0,
        "Price of a million output tokens.",
        parse=float,
        metavar="PRICE",
        expected="a number from 0",
        check=_is_price,
    )
    memory_mb: int | None = _setting(
        None,
        "Memory of each sandbox in MiB instead of what the task says.",
        parse=int,
        metavar="MIB",
        expected="a whole number from 256",
        check=_is_whole(256),
    )
    cpus: float | None = _setting(
        None,
        "CPU cores of each sandbox instead of what the task says.",
        parse=float,
        metavar="N",
        expected="a number above 0",
        check=_is_count,
    )


OPTIONS: dict[str, Option] = {
    row.name: Option(name=row.name, default=None if row.default is MISSING else row.default, **row.metadata)
    for row in fields(Settings)
}
"""The table, by name, in the order of the fields; `cli` builds its flags from it."""


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/grader`, by default `~/.cache/grader`: what may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "grader")


def load_settings(
    *, config: Path | None = None, environ: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """The settings of a run; the later source wins. A flag that is None was not given.

    Raises UsageError for a file that cannot be read, a key that is no setting and a value outside the rules.
    A variable that merely starts with GRADER_ is left alone unless it looks like a misspelt setting.
    """
    values = {
        **(_from_file(config) if config else {}),
        **_from_environment(environ or {}),
        **_from_flags(flags or {}),
    }
    return replace(Settings(), **values)


def _from_file(path: Path) -> dict[str, Any]:
    """The values of a TOML file; relative folders are relative to it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        message = f"cannot read the configuration file {path}: {error.strerror or error}"
        raise UsageError(message, hint="check the path given with --config") from error
    except ValueError as error:
        message = f"{path} is not valid TOML: {sanitize_line(str(error))}"
        raise UsageError(message, hint="correct the line that is named") from error
    values = {}
    for key, value in table.items():
        option = _option(key, str(path), key)
        native = path.parent / value if option.parse is Path and isinstance(value, str) else value
        values[key] = _checked(option, native, f"{path}: {key}")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The values of the variables; an empty one counts as not set, as shells leave them."""
    values = {}
    known = {option.variable: option for option in OPTIONS.values()}
    for variable, text in environ.items():
        if variable in known and text:
            values[known[variable].name] = _parsed(known[variable], text, variable)
        elif variable.startswith(ENVIRONMENT_PREFIX) and variable not in known:
            _refuse_misspelt(variable, known)
    return values


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the flags that were given, as text or already converted."""
    values = {}
    for name, value in flags.items():
        option = _option(name, "the command line", OPTIONS[name].flag if name in OPTIONS else name)
        if value is not None:
            place = option.flag
            values[name] = _parsed(option, value, place) if isinstance(value, str) else _checked(option, value, place)
    return values


def _option(name: str, where: str, shown: str) -> Option:
    """The option called `name`; UsageError with the nearest name where there is none."""
    if name in OPTIONS:
        return OPTIONS[name]
    near = difflib.get_close_matches(name, OPTIONS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "settings are " + ", ".join(OPTIONS)
    raise UsageError(f"{where}: {sanitize_line(shown, 60)!r} is no setting", hint=hint)


def _refuse_misspelt(variable: str, known: Mapping[str, Option]) -> None:
    """Raises for a variable one slip away from a setting: ignoring it would run with the default, silently."""
    suffix = variable.removeprefix(ENVIRONMENT_PREFIX)
    names = [name.removeprefix(ENVIRONMENT_PREFIX) for name in known]
    near = difflib.get_close_matches(suffix, names, n=1, cutoff=0.8)
    if near:
        message = f"the environment variable {sanitize_line(variable, 60)} is no setting"
        raise UsageError(message, hint=f"did you mean {ENVIRONMENT_PREFIX}{near[0]}?")


def _parsed(option: Option, text: str, place: str) -> Any:  # noqa: ANN401 -- the type is the option's
    """The value of a flag or variable, from its text."""
    try:
        value = option.parse(text)
    except ValueError as error:
        raise _wrong(option, text, place) from error
    return _checked(option, value, place)


def _checked(option: Option, value: Any, place: str) -> Any:  # noqa: ANN401 -- as above
    """`value` where it is within the rules of its option; UsageError where not."""
    if (option.choices and value not in option.choices) or not option.check(value):
        raise _wrong(option, value, place)
    return value


def _wrong(option: Option, value: object, place: str) -> UsageError:
    near = difflib.get_close_matches(str(value), option.choices, n=1)
    expected = f"one of {', '.join(option.choices)}" if option.choices else option.expected
    hint = f"did you mean {near[0]!r}?" if near else f"expected {expected}"
    return UsageError(f"{place}: {sanitize_line(str(value), 60)!r} is not allowed", hint=hint)
