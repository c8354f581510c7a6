"""The contract's file in a project: a person's own text, with what editors and readers need to know above it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .effective import yaml_document
from .given import document_of

_SCHEMA = "# yaml-language-server: $schema=contract.schema.json"
_OWNED = "# The contract of this node. This file is yours, and the source of truth: change it and run "
# A schema at an address is as good here as where the file was; a path leads nowhere any more.
_MODELINE = re.compile(r"#\s*yaml-language-server:\s*\$schema=(\S*)")
# Comments before anything else: further down, a line that looks like one may be part of a text.
_ABOVE = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)+")


def own_file(contract: Mapping[str, Any], regenerate: str, arguments: Sequence[str]) -> str:
    """Return the contract as the project gets it: as it was written, where it comes from a file.

    Args:
        contract: The contract that counts.
        regenerate: The command that lets the node follow it.
        arguments: The process's command line, which names the file.
    """
    document = document_of(contract, arguments)
    return owned(document.text if document else yaml_document(contract), regenerate)


def owned(text: str, regenerate: str) -> str:
    """Return the text of a contract's file below the lines that belong above it; comments, order and layout stay.

    Args:
        text: The file that a person gave: YAML, or JSON, that can be read.
        regenerate: The command that lets the node follow it.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip("\n") + "\n"
    above = _ABOVE.match(text)
    schema, kept = _SCHEMA, []
    for line in above[0].splitlines(keepends=True) if above else ():
        modeline = _MODELINE.fullmatch(line.rstrip())
        if modeline is None and not line.startswith(_OWNED):
            kept.append(line)
        elif modeline and "://" in modeline[1]:
            schema = line.rstrip()
    below = text[above.end() :] if above else text
    return f"{schema}\n{_OWNED}`{regenerate}`.\n{''.join(kept)}{below}"
