# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Figures that go on from batch to batch: exact however many writers count at once, and each event counts once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import BaseModel

from ..correlation import CORRELATION_ID
from .figure_store import FigureStore, KeptWindow, KnownFigures
from .packing import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.1
# What an index of PostgreSQL takes without trouble; longer names are told by their digest.
_LONGEST_NAME = 500


@dataclass(frozen=True, slots=True)
class Folding[EventT: BaseModel, KeyT: tuple[Any, ...], TotalsT, WindowT]:
    """How events become figures.

    Attributes:
        scope: Which figures: operations of the same scope count together.
        key: Tells an event's window and group.
        totals: Makes the partial results of no events; its attributes are measures.
        add: Adds an event to the partial results of its key.
        figures: Makes the figures of a key and its partial results.
        order: What keys are sorted by.
        event_id: The identity of an event; None where events have none.
    """

    scope: str
    key: Callable[[EventT], KeyT]
    totals: Callable[[], TotalsT]
    add: Callable[[dict[KeyT, TotalsT], EventT], None]
    figures: Callable[[KeyT, TotalsT], WindowT]
    order: Callable[[KeyT], Any]
    event_id: Callable[[EventT], str] | None = None


class KeptFigures[EventT: BaseModel, KeyT: tuple[Any, ...], TotalsT, WindowT]:
    """The figures that an operation adds to."""

    def __init__(self, folding: Folding[EventT, KeyT, TotalsT, WindowT], store: FigureStore) -> None:
        """Keep both.

        Args:
            folding: How events become figures.
            store: Where they are kept.
        """
        self._folding = folding
        self._store = store

    async def count(self, events: Sequence[EventT]) -> list[WindowT]:
        """Add events to the figures: all of them, each once, or none.

        A writer that was overtaken counts again from what it finds then, until the operation's deadline.

        Args:
            events: In any order. Those that were counted before change nothing. Of two that differ under one id, that
                whose JSON sorts first counts. Where events have no id, those of one request count once.

        Returns:
            The figures of the windows that the events are in, sorted.

        Raises:
            ModelOnexError: CONTRACT_VIOLATION when figures are kept that lack a measure; else what the store raises.
        """
        if not events:
            return []
        named = {_short(json.dumps([packed(part) for part in key])): key for key in map(self._folding.key, events)}
        names = sorted(named)
        by_id = self._by_id(events)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            known = await self._store.load(self._folding.scope, names, list(by_id))
            # Large batches take long, and hold up nothing else meanwhile.
            totals, windows = await asyncio.to_thread(self._counted, named, by_id, known)
            fresh = [event_id for event_id in by_id if event_id not in known.seen]
            if not fresh or await self._store.save(self._folding.scope, windows, fresh):
                return [self._folding.figures(key, totals[key]) for key in sorted(totals, key=self._folding.order)]
            await asyncio.sleep(pause * random.random())  # noqa: S311 - spreads writers out, no secret
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _by_id(self, events: Sequence[EventT]) -> dict[str, list[EventT]]:
        event_id = self._folding.event_id
        if event_id is None:
            digest = hashlib.sha256(b"\n".join(event.model_dump_json().encode() for event in events)).hexdigest()
            return {f"{CORRELATION_ID.get() or uuid4()}:{digest}": list(events)}
        found: dict[str, list[EventT]] = {}
        for event in events:
            known = found.setdefault(_short(event_id(event)), [event])
            if known[0] is not event and known[0] != event:
                known[0] = min(known[0], event, key=lambda item: item.model_dump_json())
        return found

    def _counted(
        self, named: Mapping[str, KeyT], by_id: Mapping[str, Sequence[EventT]], known: KnownFigures
    ) -> tuple[dict[KeyT, TotalsT], dict[str, KeptWindow]]:
        """Return the partial results by key, and the windows that are new or changed."""
        totals = {
            key: self._restored(known.windows[name].state) for name, key in named.items() if name in known.windows
        }
        changed = set()
        for event_id, events in by_id.items():
            for event in events if event_id not in known.seen else ():
                self._folding.add(totals, event)
                changed.add(self._folding.key(event))
        windows = {}
        for name, key in sorted(named.items()):
            if key in changed:
                before = known.windows.get(name)
                windows[name] = KeptWindow(_dumped(totals[key]), before.version if before else 0)
        return totals, windows

    def _restored(self, state: str) -> TotalsT:
        totals, kept = self._folding.totals(), json.loads(state)
        for name, measure in vars(totals).items():
            if name not in kept:
                raise ModelOnexError(
                    message=f"Figures are kept that were counted without {name}.",
                    error_code=EnumCoreErrorCode.CONTRACT_VIOLATION,
                )
            measure.restore(kept[name])
        return totals


def _dumped(totals: object) -> str:
    return json.dumps({name: measure.dump() for name, measure in vars(totals).items()})


def _short(name: str) -> str:
    return name if len(name.encode()) <= _LONGEST_NAME else f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
