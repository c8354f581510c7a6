"""The settings of mypy that a project may bring: those that say what is checked, and none that runs or writes."""

import configparser
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

# Plugins are imported, and can be files of the project; this one comes with a library that nodes are built on.
_PLUGINS = {"pydantic.mypy"}
_FILES = ("mypy.ini", ".mypy.ini")
_SETTINGS = {
    "allow_any_generics",
    "allow_redefinition",
    "allow_redefinition_new",
    "allow_redefinition_old",
    "allow_untyped_globals",
    "always_false",
    "always_true",
    "check_unreachable",
    "check_untyped_defs",
    "disable_bytearray_promotion",
    "disable_error_code",
    "disable_memoryview_promotion",
    "disallow_any_decorated",
    "disallow_any_explicit",
    "disallow_any_expr",
    "disallow_any_generics",
    "disallow_any_unimported",
    "disallow_incomplete_defs",
    "disallow_subclassing_any",
    "disallow_untyped_calls",
    "disallow_untyped_decorators",
    "disallow_untyped_defs",
    "enable_error_code",
    "enable_incomplete_feature",
    "exclude",
    "exclude_gitignore",
    "explicit_package_bases",
    "extra_checks",
    "files",
    "follow_imports",
    "follow_imports_for_stubs",
    "follow_untyped_imports",
    "ignore_errors",
    "ignore_missing_imports",
    "implicit_optional",
    "implicit_reexport",
    "local_partial_types",
    "modules",
    "mypy_path",
    "namespace_packages",
    "no_implicit_optional",
    "no_implicit_reexport",
    "packages",
    "platform",
    "python_version",
    "strict",
    "strict_bytes",
    "strict_concatenate",
    "strict_equality",
    "strict_equality_for_none",
    "strict_optional",
    "untyped_calls_exclude",
    "warn_no_return",
    "warn_redundant_casts",
    "warn_return_any",
    "warn_unreachable",
    "warn_unused_configs",
    "warn_unused_ignores",
}


def write(project: Path, folder: Path) -> Path | None:
    """Write the settings of a project that are safe to use.

    Args:
        project: The project's root.
        folder: Where to write them.

    Returns:
        A file for mypy's `--config-file`; None when the project has no settings that can be read.
    """
    for name in (*_FILES, "pyproject.toml", "setup.cfg"):
        try:
            text = (project / name).read_text(encoding="utf-8")
            written = _of_toml(text) if name == "pyproject.toml" else _of_ini(text, always=name in _FILES)
        except (OSError, ValueError, configparser.Error):
            continue
        if written is not None:
            target = folder / ("mypy.toml" if name == "pyproject.toml" else "mypy.ini")
            target.write_text(written, encoding="utf-8")
            return target
    return None


def _of_toml(text: str) -> str | None:
    settings = tomllib.loads(text).get("tool", {}).get("mypy")
    if not isinstance(settings, dict):
        return None
    safe = _safe(settings)
    overrides = settings.get("overrides")
    if isinstance(overrides, list):
        safe["overrides"] = [
            {"module": each["module"]} | _safe(each)
            for each in overrides
            if isinstance(each, dict) and "module" in each
        ]
    return tomlkit.dumps({"tool": {"mypy": safe}})


def _of_ini(text: str, *, always: bool) -> str | None:
    settings = configparser.RawConfigParser()
    settings.read_string(text)
    if not always and "mypy" not in settings:
        return None
    lines: list[str] = []
    for section in settings.sections():
        if section == "mypy" or section.startswith("mypy-"):
            lines.append(f"[{section}]")
            safe = _safe(dict(settings[section]))
            lines += (f"{key} = {value}".replace("\n", "\n    ") for key, value in safe.items())
    return "\n".join(lines) + "\n"


def _safe(settings: Mapping[str, Any]) -> dict[str, Any]:
    safe = {key: value for key, value in settings.items() if key in _SETTINGS}
    plugins = settings.get("plugins", ())
    named = plugins.replace(",", " ").split() if isinstance(plugins, str) else plugins
    if known := [name for name in named if name in _PLUGINS]:
        safe["plugins"] = ", ".join(known) if isinstance(plugins, str) else known
    return safe
