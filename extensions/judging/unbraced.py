"""Texts that were likely meant as references: `input.order_id`, as expressions have it, and not `${input.order_id}`."""

import re
from collections.abc import Collection, Iterator, Mapping

from ..language import references
from ..language.workflow import every_step
from ..text.problems import Path, Problem, show
from ..text.specs import Specs
from .integrations import NO_TEXTS

_WHOLE = re.compile(r"(?P<source>input|steps)\.(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_EVENT = re.compile(r"event(?:\.[A-Za-z_]\w*)+")
_OUTSIDE = re.compile(r"(?:env|secret)\.[A-Z][A-Z0-9_]*")
_EFFECTS = ("http", "kafka", "redis", "filesystem")
# What of a step takes references.
_OF_STEPS = ("input", "output", "compensate", "route")


def warnings(raw: Specs) -> Iterator[Problem]:
    """Find texts that as a whole are the name of something that may be referred to where they stand.

    Args:
        raw: A contract without problems.

    Yields:
        One warning for each: it may be text that is meant as it stands.
    """
    models = {name: spec.get("fields", {}) for name, spec in raw.get("models", {}).items()}
    for index, operation in enumerate(raw["operations"]):
        place: Path = ("operations", index)
        inputs = operation.get("input", {})
        for key in _EFFECTS:
            taken = {word: value for word, value in operation.get(key, {}).items() if word not in NO_TEXTS}
            yield from _texts((*place, key), taken, inputs, models)
        if workflow := operation.get("workflow"):
            steps = {step["name"] for step in every_step(workflow["steps"])}
            yield from _texts((*place, "workflow", "output"), workflow.get("output"), inputs, models, steps)
            yield from _steps((*place, "workflow", "steps"), workflow["steps"], inputs, models, steps)
    consumed = raw.get("subcontracts", {}).get("event_type", {}).get("consumed_events", [])
    for index, event in enumerate(consumed):
        path: Path = ("subcontracts", "event_type", "consumed_events", index, "map")
        for at, text in references.texts(path, event.get("map")):
            yield from _meant(at, text) if _EVENT.fullmatch(text) else ()


def _steps(
    path: Path, placed: list[Specs], inputs: Specs, models: Mapping[str, Specs], steps: Collection[str]
) -> Iterator[Problem]:
    for index, step in enumerate(placed):
        taken = {key: step[key] for key in _OF_STEPS if key in step}
        yield from _texts((*path, index), taken, inputs, models, steps)
        yield from _steps((*path, index, "steps"), step.get("steps", []), inputs, models, steps)


def _texts(
    path: Path, value: object, inputs: Specs, models: Mapping[str, Specs], steps: Collection[str] | None = None
) -> Iterator[Problem]:
    """Find such texts in a value; those of a workflow may name its steps, and nothing outside."""
    for place, text in references.texts(path, value):
        whole = _WHOLE.fullmatch(text)
        first, _, rest = whole["name"].partition(".") if whole else ("", "", "")
        there = (
            (steps is None and _OUTSIDE.fullmatch(text))
            or (whole and whole["source"] == "input" and references.spec_at(whole["name"], inputs, models))
            or (whole and whole["source"] == "steps" and rest and first in (steps or ()))
        )
        yield from _meant(place, text) if there else ()


def _meant(place: Path, text: str) -> Iterator[Problem]:
    yield Problem(place, f"the text {show(text)}", f"${{{text}}}, if that is meant", "this stands for itself")
