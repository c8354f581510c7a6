"""Names that follow from the names in a contract."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from ..home import DATA
from ..project.places import Place

if TYPE_CHECKING:
    from .contract import Contract
from ..text.markers import MARKERS

# Folders beside `src` in a project, those that git ignores included, and a module of its tests.
_FOLDERS = frozenset({"build", "conftest", "deploy", "dist", "migrations", "orphans", "src", "tests"})
# What Python, pip, pytest or Hypothesis load by name where it is there.
_LOADED = frozenset({"numpy", "omnibase_spi", "pandas", "pip", "sitecustomize", "usercustomize", "uv", "wheel"})


@cache
def _modules() -> frozenset[str]:
    """Return the modules of what generated nodes depend on, what builds them included."""
    return frozenset((DATA / "modules.txt").read_text(encoding="utf-8").split())


def taken(package: str) -> str:
    """Say whose name a package has, so that one of the two can't be imported; empty where nobody's.

    Args:
        package: A package, dots allowed, of which the first part counts.
    """
    first = package.partition(".")[0]
    if first in sys.stdlib_module_names or first == "test":
        return "of Python's standard library"
    if first in _modules():
        return "of a library that nodes depend on"
    if first in _LOADED:
        return "of what nodes are installed, started or tested with"
    return "of a folder of the project" if first in _FOLDERS else ""


def pascal(name: str) -> str:
    """Return PascalCase for a snake_case, kebab-case or dotted name."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", name))


def snake(name: str) -> str:
    """Return snake_case for a PascalCase, kebab-case or dotted name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^0-9A-Za-z]+", "_", words).strip("_").lower()


def kebab(name: str) -> str:
    """Return kebab-case for a snake_case, PascalCase or dotted name."""
    return snake(name).replace("_", "-")


def constant(text: str) -> str:
    """Return UPPER_CASE for any text, with a letter in front where the text starts with none."""
    word = re.sub(r"[^0-9A-Za-z]+", "_", snake(text)).strip("_").upper()
    return word if word[:1].isalpha() and not MARKERS.fullmatch(word) else f"VALUE_{word}".rstrip("_")


# Words that ONEX takes for a sign of poor modelling anywhere in the name of a class, and their usual short forms, each
# of which is made by leaving letters out. The longer of two that begin alike comes first.
_SHORT_FORMS = {
    "manager": "mgr",
    "handler": "hdlr",
    "helper": "hlpr",
    "utility": "utlty",
    "util": "utl",
    "service": "svc",
    "controller": "ctrlr",
    "processor": "proc",
    "worker": "wrkr",
}
_UNWANTED = re.compile("|".join(_SHORT_FORMS), re.IGNORECASE)
_LONGEST_MEMBER = 60


def class_name(name: str) -> str:
    """Return the name of a class with the words that ONEX forbids there in their short forms.

    Args:
        name: A name in PascalCase, such as `ModelCacheManagerRequest`.

    Returns:
        The name, such as `ModelCacheMgrRequest`; the same where no such word is in it.
    """
    while match := _UNWANTED.search(name):
        name = name[: match.start()] + _shortened(match[0]) + name[match.end() :]
    return name


def _shortened(word: str) -> str:
    kept, letters = "", iter(word)
    for wanted in _SHORT_FORMS[word.lower()]:
        kept += next(letter for letter in letters if letter.lower() == wanted)
    return kept


def enum_class(name: str) -> str:
    """Return the class of one of the contract's enums."""
    return class_name(f"Enum{name}")


def model_class(name: str) -> str:
    """Return the class of one of the contract's models, or of another type that is named like one."""
    return class_name(f"Model{name}")


def members(values: Iterable[str]) -> dict[str, str]:
    """Return the names of an enum's members by their values.

    Args:
        values: The enum's values, in order.

    Returns:
        A name of its own for each: its letters and digits; where those of several are the same, their other characters
        in words, such as `PLUS_1` for `+1`; or else a number after it.
    """
    plain = {value: constant(value) for value in values}
    shared = [name for name, count in Counter(plain.values()).items() if count > 1]
    found = {value: _spelled(value) if name in shared else name for value, name in plain.items()}
    taken: set[str] = set()
    # The names that follow from letters and digits alone stay with their values.
    for value in sorted(found, key=lambda value: plain[value] in shared):
        stem, number = found[value], 1
        while found[value] in taken:
            number += 1
            found[value] = f"{stem}_{number}"
        taken.add(found[value])
    return found


def _spelled(value: str) -> str:
    signs = {"-": "MINUS", "+": "PLUS"}
    words = (
        char if char.isascii() and char.isalnum() else f" {signs.get(char, unicodedata.name(char, ''))} "
        for char in value.strip()
    )
    name = constant("".join(words))
    return name if len(name) <= _LONGEST_MEMBER else constant(value)


def node_name(contract: Contract) -> str:
    """Return ONEX's name of the node, which is also its directory's."""
    return f"node_{contract.name}_{contract.node_type}"


def place(contract: Contract) -> Place:
    """Return where the node's files are in its project."""
    return Place(node_name(contract) if contract.layout == "node" else "")


def producer(contract: Contract) -> str:
    """Return the part of topics that says whose they are."""
    return kebab(contract.package)


def event_topic(contract: Contract, event: str) -> str:
    """Return the full topic of an event."""
    return f"onex.evt.{producer(contract)}.{kebab(event)}.v1"


def command_topic(contract: Contract) -> str:
    """Return the topic on which the node takes requests."""
    return f"onex.cmd.{producer(contract)}.{kebab(contract.name)}-requested.v1"


def completed_topic(contract: Contract) -> str:
    """Return the topic on which ONEX's runtimes publish the node's answers."""
    return f"onex.evt.{producer(contract)}.{kebab(contract.name)}-completed.v1"
