"""What is known of a node from its contract, for reports: worked out by who generates it, and handed to who reports."""

import json
import os
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..project.places import Place, file_in

if TYPE_CHECKING:
    from ..viewing.node import NodeView

VARIABLE: Final = "ONEX_KNOWN"
# Systems bound the environment of a process, some of them to 32 K.
_LONGEST: Final = 8192


@dataclass(frozen=True, slots=True)
class Known:
    """What a report says of a node that is not seen in its files.

    Attributes:
        node: The node's full name.
        node_type: Its type.
        package: Its Python package.
        template: The version of the template; empty where it has none.
        features: The features that the contract names.
        decisions: What was decided, with reasons.
    """

    node: str
    node_type: str
    package: str
    template: str
    features: tuple[str, ...]
    decisions: tuple[Mapping[str, Any], ...]


def known(node: "NodeView", raw: Mapping[str, Any], template: object) -> Known:
    """Return what is known of a node.

    Args:
        node: The view of its contract.
        raw: The contract itself.
        template: The version of the template; None where it has none.
    """
    return Known(
        node=node.full_name,
        node_type=node.node_type,
        package=node.package,
        template=str(template or ""),
        features=tuple(str(word) for word in raw.get("features") or ()),
        decisions=tuple(
            {"subject": each.subject, "choice": each.choice, "reasons": list(each.reasons)} for each in node.decisions
        ),
    )


def hand_on(environment: MutableMapping[str, str], what: Known | None) -> None:
    """Leave to processes to come what is known, so that they need not work it out; None takes it back.

    Args:
        environment: Of these processes.
        what: What is known; what is too long is left to be worked out.
    """
    text = json.dumps(asdict(what)) if what else ""
    if text and len(text) <= _LONGEST:
        environment[VARIABLE] = text
    else:
        environment.pop(VARIABLE, None)


def handed_on() -> Known | None:
    """Return what the process before this one knew; None when it has left nothing."""
    with suppress(KeyError, TypeError, ValueError):
        values = json.loads(os.environ[VARIABLE])
        return Known(**values | {"features": tuple(values["features"]), "decisions": tuple(values["decisions"])})
    return None


def of_answers(project: Path, place: Place) -> Known:
    """Work out what is known of a node of a project, from its answers.

    Raises:
        ValueError: When it is no generated node, or its contract can't be read.
        OSError: When the answers can't be read.
    """
    # All of it takes longer than a copy's whole report, which is told what is known.
    import yaml  # noqa: PLC0415

    from ..judging.judge import ContractError, read  # noqa: PLC0415
    from ..viewing.build import view  # noqa: PLC0415

    answers = yaml.safe_load(file_in(project, place.answers).read_text(encoding="utf-8"))
    if not isinstance(answers, dict):
        raise ValueError(f"{project} was not generated")  # noqa: TRY004  # a file is wrong, not a type
    raw = {key: value for key, value in answers.items() if not key.startswith("_")}
    try:
        contract = read(raw)
    except ContractError as error:
        raise ValueError(f"its contract is one of an earlier template: {error.problems[0]}") from error
    return known(view(contract), raw, answers.get("_commit"))
