"""What Copier loads: wires filters and the view of the node into the template's Jinja environment, nothing else."""

import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from copier._main import _operation
from copier.errors import UserMessageError
from jinja2 import Environment, pass_context
from jinja2.ext import Extension
from jinja2.runtime import Context
from plumbum import local

_PACKAGE = "_onex_extensions"
_STARTED = "ONEX_STARTED"
_TESTS = "template/{{ node.place.tests }}/"


def _load(*modules: str) -> tuple[ModuleType, ...]:
    """Import this folder's modules afresh: an update renders two template versions, each with its own modules."""
    for name in [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]
    package = ModuleType(_PACKAGE)
    package.__path__ = [str(Path(__file__).resolve().parent)]
    sys.modules[_PACKAGE] = package
    importlib.invalidate_caches()
    loading = importlib.import_module(f"{_PACKAGE}.project.loading")
    code = loading.keep_code(_PACKAGE)
    with loading.without_waste(code):
        loaded = tuple(importlib.import_module(f"{_PACKAGE}.{module}") for module in modules)
    code.save()
    return loaded


@pass_context
def _is_asked(context: Context, key: str) -> bool:
    """Tell whether a person answers a question, rather than data, the last answers or a default."""
    settings = context["_copier_conf"]
    return _operation.get(None) == "copy" and not settings["defaults"] and key not in settings["data"]


class OnexExtension(Extension):
    """Hands templates `node`, the view of the contract, and the filters that encode text."""

    def __init__(self, environment: Environment) -> None:
        """Register what templates use.

        Args:
            environment: The environment in which Copier renders questions, paths and files.
        """
        super().__init__(environment)
        # For the hook, which Copier starts in a process of its own, with the environment as plumbum keeps it.
        local.env[_STARTED] = repr(time.time())
        compiled, encode, self._effective, self._given, self._judge, self._legacy, self._view = _load(
            "project.compiled",
            "text.encode",
            "reading.effective",
            "reading.given",
            "judging.judge",
            "judging.legacy",
            "viewing.build",
        )
        compiled.CompiledTemplates().attach(environment)
        self._encode = encode
        self._drafted: list[str] = []
        self._manifest = importlib.import_module(f"{_PACKAGE}.viewing.manifest")
        self._runtime = importlib.import_module(f"{_PACKAGE}.viewing.runtime")
        self._origins = importlib.import_module(f"{_PACKAGE}.project.origin")
        own_file = importlib.import_module(f"{_PACKAGE}.reading.own_file")
        schema = importlib.import_module(f"{_PACKAGE}.reading.schema")
        self._known = importlib.import_module(f"{_PACKAGE}.reporting.known")
        self._known.hand_on(local.env, None)
        environment.filters.update(
            asked=_is_asked,
            choices=self._choices,
            mistake=self._mistake,
            is_contract=self._effective.is_contract,
            effective_contract=self._effective_contract,
            judged=self._judged,
            manifest=self._manifest_of,
            contract_schema=lambda _: schema.compact(),
            docstring=encode.docstring,
            call=encode.call,
            imports=self._imports,
            json_value=encode.json_value,
            origin=self._origin,
            own_file=lambda contract, regenerate: own_file.own_file(contract, regenerate, sys.argv),
            md=encode.markdown,
            md_code=encode.markdown_code,
            md_number=encode.markdown_number,
            py=encode.py,
            py_block=encode.py_block,
            py_set=encode.py_set,
            py_tuple=encode.py_tuple,
            py_triple=encode.py_triple,
            assignment=encode.assignment,
            runtime_source=self._runtime.source,
            double_source=self._runtime.double_source,
            sentence=encode.sentence,
            signature=encode.signature,
            toml=encode.toml_string,
            type_of=self._effective.type_of,
            yaml_document=self._effective.yaml_document,
            yaml=encode.yaml_string,
            yaml_key=encode.yaml_key,
        )

    @pass_context
    def _choices(self, context: Context, key: str) -> str:
        """Return the choices of a question as JSON; none where data answers it, which may be wrong."""
        choices = self._front_door().CHOICES[key] if _is_asked(context, key) else {}
        return json.dumps([[f"{name}: {meaning}", name] for name, meaning in choices.items()])

    @pass_context
    def _mistake(self, context: Context, key: str, answer: str) -> str:
        """Say what is wrong with a person's answer; mistakes in data are told all at once, later."""
        if not _is_asked(context, key):
            return ""
        before = {name: context[name] for name in self._front_door().ASKED if name != key and name in context}
        return str(self._front_door().mistake(key, answer, before))

    def _front_door(self) -> ModuleType:
        return importlib.import_module(f"{_PACKAGE}.drafting.front_door")

    @pass_context
    def _effective_contract(self, context: Context, answers: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        raw = self._effective.effective_contract(answers, data)
        if _is_asked(context, "operations") and "operations" not in raw:
            drafted = self._front_door().completed(raw)
            self._drafted = [operation["name"] for operation in drafted.get("operations", ())]
            raw = drafted
        contract = self._read(raw)
        # A version in parts would come back from the answers file as text that is no version.
        version = {"version": contract.version} if "version" in raw else {}
        return str(self._effective.as_json(raw | version))

    @pass_context
    def _judged(self, context: Context, raw: object) -> bool:
        """Make the view of the node for the templates, and tell whether it goes over files that are there.

        Args:
            context: What Copier hands its templates.
            raw: The effective contract.

        Returns:
            True, since a contract with problems ends here.

        Raises:
            UserMessageError: All problems of the contract.
        """
        if self.environment.globals.get("judged") == raw:
            return True  # Copier asks for the same answer more than once.
        node = self._view.view(self._read(raw))
        self.environment.globals["node"] = node
        self._warnings = [*self._legacy.warnings(raw)]
        if self._drafted:
            self._warnings.append(self._front_door().drafted(self._drafted))
        self.environment.globals["warnings"] = self._warnings
        self._paths = self._manifest.paths(self.environment, context.get_all(), node.left_out)
        destination = Path(context["_copier_conf"]["dst_path"])
        answers = str(context["_copier_conf"]["answers_file"])
        if node.place.inside or answers != node.place.answers:
            host = importlib.import_module(f"{_PACKAGE}.project.host")
            if message := host.misfit(destination, node, answers, self._paths, new=_operation.get(None) == "copy"):
                raise UserMessageError(message)
        self._there_before = {path for path in self._paths if (destination / path).exists()}
        self.environment.globals["destination"] = "over" if self._there_before else "fresh"
        self.environment.globals["judged"] = raw
        return True

    @pass_context
    def _origin(self, context: Context, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the project remembers of the template: a place and a version that can be found again."""
        source, version = str(answers["_src_path"]), answers.get("_commit")
        if version is not None:
            clone = Path(context["_copier_conf"]["src_path"])
            version, changed = self._origins.recorded(source, clone, version)
            if changed:
                self._warnings.append(self._origins.uncommitted(changed, version))
        contract = self.environment.globals["judged"]
        self._known.hand_on(local.env, self._known.known(context["node"], contract, version))
        return {"_commit": version, "_src_path": self._origins.absolute(source)}

    @pass_context
    def _manifest_of(self, context: Context, node: Any) -> str:
        answers = str(context["_copier_conf"]["answers_file"])
        return str(self._manifest.render(self._paths, answers, node, self._there_before))

    @pass_context
    def _imports(self, context: Context, symbols: Sequence[tuple[str, str]], indent: int = 0) -> str:
        """Return import lines; where tests are packages of their own, they import each other relatively."""
        _, test, below = str(context.name).partition(_TESTS)
        relative = test and context["node"].place.inside
        return str(self._encode.imports(symbols, indent, below.split("/")[:-1] if relative else None))

    def _read(self, raw: object) -> Any:
        try:
            contract = self._judge.read(raw)
        except self._judge.ContractError as error:
            raise UserMessageError(self._given.explain(raw, error.problems, sys.argv)) from None
        # What is lost while YAML is read, such as a key that stands twice, is seen in the file alone.
        if message := self._given.explain(raw, (), sys.argv):
            raise UserMessageError(message)
        return contract
