"""What asking took: an event for each thing that was made, their file, and a table for people."""

import json
import os
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Made:
    """What became of one thing that was asked for.

    Attributes:
        name: The operation, or the contract.
        node_type: The type of its node.
        outcome: One word.
        succeeded: Whether it was made as it was asked for.
        note: Why it was not, or what to know; empty for nothing.
        attempts: How often a model was asked.
        prompt_tokens: Tokens that it was asked with.
        answer_tokens: Tokens of its answers.
        cost_usd: What that cost, in US dollars; None where no prices are known.
        stages: Seconds by stage.
        at: When it ended.
    """

    name: str
    node_type: str
    outcome: str = "open"
    succeeded: bool = False
    note: str = ""
    attempts: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cost_usd: float | None = None
    stages: dict[str, float] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def tokens(self) -> int:
        """Tokens of prompts and answers."""
        return self.prompt_tokens + self.answer_tokens

    @property
    def seconds(self) -> float:
        """How long it took."""
        return sum(self.stages.values())

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        began = perf_counter()
        try:
            yield
        finally:
            self.stages[name] = self.stages.get(name, 0.0) + perf_counter() - began
            self.at = datetime.now(UTC)

    def event(self) -> dict[str, Any]:
        """Return it as an event of code generation, which a reducer aggregates."""
        return {
            "event_id": str(uuid.uuid4()),
            "node_kind": self.node_type,
            "succeeded": self.succeeded,
            "duration_ms": round(self.seconds * 1000, 3),
            "tokens": self.tokens,
            "cost_usd": self.cost_usd or 0.0,
            "occurred_at": self.at.isoformat(),
        }


def report(command: str, strategy: str, model: str | None, made: Sequence[Made]) -> dict[str, Any]:
    """Return the report of a command.

    Args:
        command: The command's name.
        strategy: `template`, `model` or `hybrid`.
        model: The model that was asked; None for none.
        made: What was asked for.

    Returns:
        Plain values. `events` is what the operation `aggregate` of a metrics reducer takes.
    """
    costs = [each.cost_usd for each in made if each.cost_usd is not None]
    return {
        "command": command,
        "strategy": strategy,
        "model": model,
        "attempts": sum(each.attempts for each in made),
        "tokens": sum(each.tokens for each in made),
        "cost_usd": sum(costs) if costs else None,
        "seconds": round(sum(each.seconds for each in made), 3),
        "operations": [
            {
                "name": each.name,
                "outcome": each.outcome,
                "note": each.note,
                "attempts": each.attempts,
                "prompt_tokens": each.prompt_tokens,
                "answer_tokens": each.answer_tokens,
                "cost_usd": each.cost_usd,
                "stages": {stage: round(seconds, 3) for stage, seconds in each.stages.items()},
            }
            for each in made
        ],
        "events": [each.event() for each in made],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a report, whole or not at all.

    Args:
        path: The file; one that is there is replaced.
        content: The report.
    """
    replace(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all; one that is there keeps its mode."""
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o644
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
        written = Path(stream.name)
        try:
            stream.write(content)
            stream.flush()
            written.chmod(mode)
            os.replace(written, path)  # noqa: PTH105 - one call, which is what makes it whole
        finally:
            written.unlink(missing_ok=True)


def show(strategy: str, made: Sequence[Made]) -> None:
    """Show on standard error what became of all."""
    table = Table("", "strategy", "outcome", "attempts", "tokens", "USD", "seconds")
    for each in made:
        cost = "\u2013" if each.cost_usd is None else f"{each.cost_usd:.4f}"
        cells = (each.name, strategy, each.outcome, f"{each.attempts}", f"{each.tokens}", cost, f"{each.seconds:.1f}")
        table.add_row(*cells)
    Console(stderr=True, highlight=False, markup=False).print(table)
