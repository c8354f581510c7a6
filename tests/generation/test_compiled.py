"""Code of templates that is kept between runs gives what compiling them gives, and never what is not theirs."""

from pathlib import Path

import pytest
import yaml

from examples.rendering import CONTRACTS, export_template, read_contract
from tests.conftest import Run


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "contract.yaml"
    path.write_text(yaml.safe_dump(read_contract(CONTRACTS / "custom_greeting.yaml")), encoding="utf-8")
    return path


def copied(run: Run, template: Path, contract: Path, destination: Path, cache: Path) -> dict[str, bytes]:
    result = run(
        *("copier", "copy", "--trust", "--defaults", "--data-file", contract, template, destination),
        XDG_CACHE_HOME=str(cache),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    files = (path for path in destination.rglob("*") if path.is_file() and path.name != ".copier-answers.yml")
    return {path.relative_to(destination).as_posix(): path.read_bytes() for path in files}


def kept(cache: Path) -> list[Path]:
    return sorted((cache / "copier-onex").glob("templates-*.bin"))


def test_kept_code_gives_the_same_files(run: Run, contract: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    template = export_template(tmp_path / "template")
    first = copied(run, template, contract, tmp_path / "first", cache)
    (file,) = kept(cache)
    content = file.read_bytes()
    assert copied(run, template, contract, tmp_path / "second", cache) == first
    assert file.read_bytes() == content
    # Modules beside those that make this possible.
    written = {path.parent.parent.name for path in (template / "extensions").rglob("__pycache__/*.pyc")}
    assert written <= {"extensions", "project"}

    file.write_bytes(content[:32] + content[33:])
    assert copied(run, template, contract, tmp_path / "third", cache) == first
    assert len(file.read_bytes()) == len(content)

    cache.joinpath("copier-onex").rename(cache / "elsewhere")
    (cache / "copier-onex").write_text("no folder", encoding="utf-8")
    assert copied(run, template, contract, tmp_path / "fourth", cache) == first


def test_changed_templates_and_filters_count_at_once(run: Run, contract: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    template = export_template(tmp_path / "template")
    (template / "template" / "value.txt.j2").write_text('{{ "a" | py }}', encoding="utf-8")
    assert copied(run, template, contract, tmp_path / "first", cache)["value.txt"] == b'"a"'

    (template / "template" / "value.txt.j2").write_text('{{ "b" | py }}', encoding="utf-8")
    assert copied(run, template, contract, tmp_path / "second", cache)["value.txt"] == b'"b"'

    encode = template / "extensions" / "text" / "encode.py"
    changed = encode.read_text(encoding="utf-8") + "\n\ndef py(value: object) -> str:\n    return 'changed'\n"
    encode.write_text(changed, encoding="utf-8")
    assert copied(run, template, contract, tmp_path / "third", cache)["value.txt"] == b"changed"
    assert len(kept(cache)) == 2
