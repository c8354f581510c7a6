"""Settings of mypy that a project brings say what is checked, and never what is run or written."""

import configparser
import tomllib
from pathlib import Path

import mypy.options
import pytest

from extensions.validation import mypy_settings
from extensions.validation.mypy_settings import write

RUNS = {
    "plugins": ["evil.py", "src/evil.py", "os:system", "runpy:run_path", "pydantic.mypy"],
    "python_executable": "./evil",
    "cache_dir": "../../cache",
    "html_report": "../report",
    "junit_xml": "../junit.xml",
    "install_types": True,
    "non_interactive": True,
    "custom_typeshed_dir": "typeshed",
    "pdb": True,
}
CHECKS = {"strict": True, "files": ["src"], "mypy_path": "src", "warn_unreachable": True}


def test_of_pyproject(tmp_path: Path) -> None:
    overrides = [{"module": ["redis.*"], "ignore_missing_imports": True, "plugins": ["evil"]}, {"strict": True}, 7]
    settings = RUNS | CHECKS | {"overrides": overrides}
    text = "[tool.mypy]\n" + "\n".join(f"{key} = {_toml(value)}" for key, value in settings.items())
    project, folder = tmp_path / "project", tmp_path / "folder"
    project.mkdir()
    folder.mkdir()
    (project / "pyproject.toml").write_text(text, encoding="utf-8")

    written = write(project, folder)

    assert written
    safe = tomllib.loads(written.read_text(encoding="utf-8"))["tool"]["mypy"]
    assert safe == CHECKS | {
        "plugins": ["pydantic.mypy"],
        "overrides": [{"module": ["redis.*"], "ignore_missing_imports": True}],
    }


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


@pytest.mark.parametrize("name", ["mypy.ini", ".mypy.ini", "setup.cfg"])
def test_of_other_files(tmp_path: Path, name: str) -> None:
    lines = [f"{key} = {', '.join(value) if isinstance(value, list) else value}" for key, value in RUNS.items()]
    text = "\n".join(["[mypy]", "strict = True", "files =", "  src,", "  tests", *lines, "[mypy-redis.*]", *lines])
    (tmp_path / name).write_text(f"{text}\nignore_errors = True\n[other]\nplugins = x\n", encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()

    written = write(tmp_path, folder)

    assert written
    settings = configparser.RawConfigParser()
    settings.read(written)
    assert settings.sections() == ["mypy", "mypy-redis.*"]
    assert set(settings["mypy"]) == {"strict", "files", "plugins"}
    assert settings["mypy"]["files"].split() == ["src,", "tests"]
    assert settings["mypy"]["plugins"] == "pydantic.mypy"
    assert set(settings["mypy-redis.*"]) == {"ignore_errors", "plugins"}


@pytest.mark.parametrize("text", ["", "[tool.other]\n", "[tool]\nmypy = 7\n", "not toml", "\0"])
def test_of_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "setup.cfg").write_text("[other]\n", encoding="utf-8")

    assert write(tmp_path, tmp_path) is None


def test_every_setting_of_a_module_is_known_here() -> None:
    """What mypy lets modules set only says what is checked; a newer mypy may have more of these."""
    other = {"debug_cache", "disabled_error_codes", "enabled_error_codes", "export_types", "mypyc"}
    known = mypy_settings._SETTINGS | other  # noqa: SLF001 - the list is what is tested

    assert sorted(mypy.options.PER_MODULE_OPTIONS - known) == []
