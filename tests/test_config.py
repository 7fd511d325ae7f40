"""Later sources win, and nothing unknown passes in silence."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from grader.config import OPTIONS, Settings, load_settings
from grader.errors import UsageError


def _config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "grader.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_isolate_and_use_the_tasks_beside_the_package() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert (settings.backend, settings.gpus, settings.seed) == ("docker", "none", None)
    assert settings.tasks_dir.name == "tasks"


def test_flags_beat_environment_beats_file_beats_default(tmp_path: Path) -> None:
    config = _config(tmp_path, 'lang = "zh"\nseed = 1\nmemory_mb = 512\n')
    environ = {"GRADER_SEED": "2", "GRADER_MEMORY_MB": "1024", "PATH": "/bin"}
    settings = load_settings(config=config, environ=environ, flags={"memory_mb": 2048, "backend": None})
    assert (settings.lang, settings.seed, settings.memory_mb, settings.backend) == ("zh", 2, 2048, "docker")


def test_the_current_folder_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _config(tmp_path, 'backend = "process"\n')
    monkeypatch.chdir(tmp_path)
    assert load_settings().backend == "docker"


def test_a_folder_in_the_file_is_relative_to_the_file(tmp_path: Path) -> None:
    assert load_settings(config=_config(tmp_path, 'tasks_dir = "mine"')).tasks_dir == tmp_path / "mine"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('bakend = "docker"', "did you mean 'backend'"),
        ('backend = "dokcer"', "did you mean 'docker'"),
        ("backend = 3", "one of docker, process"),
        ("seed = -1", "a whole number from 0"),
        ("seed = true", "a whole number from 0"),
        ('seed = "1"', "a whole number from 0"),
        ("cpus = 0", "a number above 0"),
        ("cpus = nan", "a number above 0"),
        ('gpus = "first"', "indices and UUIDs such as 0,1"),
        ('index_url = "example"', "URL"),
        ("tasks_dir = 3", "a folder"),
        ("[sandbox]\n", "settings are"),
        ("a = ", "syntax|line"),
    ],
)
def test_a_wrong_file_names_the_key_and_the_remedy(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        load_settings(config=_config(tmp_path, text))


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the configuration file"):
        load_settings(config=tmp_path / "none.toml")


def test_a_misspelt_variable_is_refused_and_a_foreign_one_left_alone() -> None:
    assert load_settings(environ={"GRADER_HOME_PAGE_OF_ANOTHER_TOOL": "x", "GRADER_LANG": ""}) == Settings()
    with pytest.raises(UsageError, match="did you mean GRADER_BACKEND"):
        load_settings(environ={"GRADER_BACKND": "process"})
    with pytest.raises(UsageError, match="GRADER_SEED: 'many'"):
        load_settings(environ={"GRADER_SEED": "many"})


def test_flags_are_checked_like_everything_else() -> None:
    assert load_settings(flags={"seed": "7", "gpus": "0,1", "cpus": 1.5}).gpus == "0,1"
    with pytest.raises(UsageError, match="--lang"):
        load_settings(flags={"lang": "fr"})
    with pytest.raises(UsageError, match="no setting"):
        load_settings(flags={"langs": "en"})


def test_every_setting_has_one_row_with_its_help_and_names() -> None:
    assert list(OPTIONS) == [row.name for row in fields(Settings)]
    for option in OPTIONS.values():
        assert option.help.endswith(".")
        assert option.choices or option.expected
    assert OPTIONS["tasks_dir"].flag == "--tasks-dir"
    assert OPTIONS["tasks_dir"].variable == "GRADER_TASKS_DIR"
