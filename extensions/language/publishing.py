"""The events that operations publish: their typed form."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ..text.specs import Specs

type Outcome = Literal["success", "failure"]

SUCCESS: Final[Outcome] = "success"
FAILURE: Final[Outcome] = "failure"


@dataclass(frozen=True, slots=True)
class Publication:
    """An event that an operation publishes, after success or failure."""

    event: str
    on: Outcome


def publications(operation: Specs) -> tuple[Publication, ...]:
    """Return what an operation of a contract says that it publishes, skipping what does not meet the schema."""
    return tuple(_publications(operation.get("publishes")))


def with_announced(operation: Specs, announced: Iterable[str]) -> tuple[Publication, ...]:
    """Return the same, with the events that `subcontracts.event_type.published_events` names for the operation."""
    own = publications(operation)
    known = {publication.event for publication in own}
    return (*own, *(Publication(event, SUCCESS) for event in dict.fromkeys(announced) if event not in known))


def _publications(spec: object) -> Iterator[Publication]:
    for item in spec if isinstance(spec, list) else [spec]:
        long = {"event": item} if isinstance(item, str) else item
        if isinstance(long, Mapping) and isinstance(long.get("event"), str):
            yield Publication(long["event"], FAILURE if long.get("on") == FAILURE else SUCCESS)
