"""What Copier loads: wires filters and the view of the node into the template's Jinja environment, nothing else."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from copier.errors import UserMessageError
from jinja2 import Environment
from jinja2.ext import Extension

_PACKAGE = "_onex_extensions"


def _load(*modules: str) -> tuple[ModuleType, ...]:
    """Import this folder's modules afresh: an update renders two template versions, each with its own modules."""
    for name in [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]
    package = ModuleType(_PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules[_PACKAGE] = package
    importlib.invalidate_caches()
    return tuple(importlib.import_module(f"{_PACKAGE}.{module}") for module in modules)


class OnexExtension(Extension):
    """Hands templates `node`, the view of the contract, and the filters that encode text."""

    def __init__(self, environment: Environment) -> None:
        """Register what templates use.

        Args:
            environment: The environment in which Copier renders questions, paths and files.
        """
        super().__init__(environment)
        encode, self._effective, self._judge, self._view = _load("encode", "effective", "judge", "view")
        environment.filters.update(
            is_contract=self._effective.is_contract,
            effective_contract=self._accept,
            comment=encode.comment,
            docstring=encode.docstring,
            imports=encode.imports,
            json_value=encode.json_value,
            md=encode.markdown,
            md_code=encode.markdown_code,
            one_line=encode.one_line,
            py=encode.py,
            py_block=encode.py_block,
            py_tuple=encode.py_tuple,
            py_triple=encode.py_triple,
            assignment=encode.assignment,
            sentence=encode.sentence,
            signature=encode.signature,
            toml=encode.toml_string,
            yaml_document=self._effective.yaml_document,
            yaml=encode.yaml_string,
        )

    def _accept(self, answers: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        """Judge the contract, make the view of the node, and return the contract as JSON.

        Args:
            answers: The answers to the questions, by key of the contract.
            data: What was given with `--data` and `--data-file`.

        Returns:
            The effective contract.

        Raises:
            UserMessageError: All problems of the contract, if it has any.
        """
        raw = self._effective.effective_contract(answers, data)
        try:
            contract = self._judge.read(raw)
        except self._judge.ContractError as error:
            raise UserMessageError(str(error)) from None
        self.environment.globals["node"] = self._view.view(contract)
        return str(self._effective.as_json(raw))
