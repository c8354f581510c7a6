"""Modules of the template are compiled once, and contracts are worked out once."""

import copy
import dataclasses
import gc
import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.deciding.decisions import BaseClass, decide_base_class
from extensions.judging.judge import ContractError, read
from extensions.language.contract import Contract
from extensions.project.kept import KeptCode
from extensions.viewing import build as viewing

PACKAGE = "_onex_loading_test"
EXTENSIONS = Path(viewing.__file__).resolve().parents[1]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with some of the modules, and a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    finders = list(sys.meta_path)
    for part in ("home.py", "project", "text"):
        copy_of = shutil.copytree if (EXTENSIONS / part).is_dir() else shutil.copy2
        (tmp_path / "first").mkdir(exist_ok=True)
        copy_of(EXTENSIONS / part, tmp_path / "first" / part)
    yield tmp_path / "first"
    sys.meta_path[:] = finders
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def load(folder: Path) -> tuple[ModuleType, bytes]:
    """Import a module of a clone as the template does; return it, and all that is kept afterwards."""
    forget()
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    sys.modules[PACKAGE] = package
    importlib.invalidate_caches()
    code = importlib.import_module(f"{PACKAGE}.project.loading").keep_code(PACKAGE)
    module = importlib.import_module(f"{PACKAGE}.text.markers")
    code.save()
    (file,) = (folder.parent / "cache" / "copier-onex").glob("modules-*.bin")
    return module, file.read_bytes()


def test_another_clone_compiles_nothing(clone: Path) -> None:
    _, first = load(clone)
    clone = clone.rename(clone.with_name("second"))
    module, second = load(clone)
    assert second == first
    assert module.__file__ == str(clone / "text" / "markers.py")
    assert module.__spec__ is not None
    assert type(module.__spec__.loader).__name__ == "_Loader"


def test_changed_module_counts_at_once(clone: Path) -> None:
    load(clone)
    module = clone / "text" / "markers.py"
    module.write_text(f"{module.read_text(encoding='utf-8')}\nCHANGED = True\n", encoding="utf-8")
    assert load(clone)[0].CHANGED


def test_methods_of_dataclasses_are_compiled_once(clone: Path) -> None:
    load(clone)
    loading = importlib.import_module(f"{PACKAGE}.project.loading")
    new: list[bool] = []
    for _ in range(2):
        code = KeptCode(clone.parent, "methods", "1")
        with loading.without_waste(code):
            made = dataclasses.make_dataclass("Made", [("one", int), ("two", str, "2")], frozen=True, slots=True)
        (clone.parent / "methods-1.bin").unlink(missing_ok=True)
        code.save()  # writes what is new, and nothing else
        new.append((clone.parent / "methods-1.bin").exists())
        assert (made(1), made(1) == made(1, "2"), hash(made(1))) == (made(one=1, two="2"), True, hash((1, "2")))
        assert repr(made(1)) == "Made(one=1, two='2')"
        with pytest.raises(dataclasses.FrozenInstanceError):
            made(1).one = 2
    assert new == [True, False]
    assert "exec" not in vars(dataclasses)
    assert gc.isenabled()


@pytest.mark.parametrize("damage", ["cut", "changed", "folder"])
def test_what_is_damaged_is_compiled_again(clone: Path, damage: str) -> None:
    _, content = load(clone)
    (file,) = (clone.parent / "cache" / "copier-onex").glob("modules-*.bin")
    if damage == "folder":
        file.unlink()
        file.parent.rmdir()
        file.parent.write_text("no folder", encoding="utf-8")
        code = KeptCode(file.parent, "modules", "x")
        code.add(b"digest", b"code")
        code.save()
        assert code.get(b"digest") == b"code"
        return
    file.write_bytes(content[:-1] if damage == "cut" else content[:40] + bytes([content[40] ^ 1]) + content[41:])
    assert load(clone)[1] == content


def test_old_files_go(tmp_path: Path) -> None:
    for version in range(6):
        code = KeptCode(tmp_path, "modules", str(version))
        code.add(b"digest", b"code")
        code.save()
    assert len(list(tmp_path.glob("modules-*.bin"))) == 4
    assert KeptCode(tmp_path, "modules", "5").get(b"digest") == b"code"


def test_contract_and_view_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Contract] = []

    def counted(contract: Contract) -> BaseClass:
        built.append(contract)
        return decide_base_class(contract)

    monkeypatch.setattr(viewing, "decide_base_class", counted)
    # A value for a setting has to be compared with the settings, which are in the view.
    raw = read_contract(CONTRACTS / "distributed_lock.yaml") | {"deployment": {"env": {"LOG_LEVEL": "INFO"}}}
    contract = read(raw)
    again = read(json.loads(json.dumps(raw)))
    assert again is contract
    assert viewing.view(contract) is viewing.view(again)
    assert len(built) == 1


def test_another_contract_is_another_one() -> None:
    raw = read_contract(CONTRACTS / "distributed_lock.yaml")
    changed = copy.deepcopy(raw) | {"description": "Another one."}
    assert read(changed).description == "Another one."
    assert read(raw).description != "Another one."
    assert viewing.view(read(changed)) is not viewing.view(read(raw))
    for _ in range(2):
        with pytest.raises(ContractError):
            read(raw | {"name": 5})
