"""What generated nodes do when what they depend on fails, counted: the fault runs of the tests at a larger scale."""

import asyncio
import sys

from tests.faults import (
    test_crowd,
    test_cuts,
    test_http,
    test_kafka_away,
    test_kill,
    test_outbox_full,
    test_poison,
    test_postgres,
    test_redis,
    test_stall,
)
from tests.faults.harness import Figures, Projects, Scale, generated

RUNS = (
    test_postgres,
    test_redis,
    test_http,
    test_kafka_away,
    test_kill,
    test_outbox_full,
    test_poison,
    test_crowd,
    test_cuts,
    test_stall,
)
SCALE = Scale(seconds=5, workers=20, messages=1000)


def row(figures: Figures) -> str:
    """Return a run's figures as one line of a Markdown table."""
    answers = ", ".join(f"{count} of {kind}" for kind, count in sorted(figures.answers.items()))
    facts = ", ".join(f"{name}: {value}" for name, value in figures.facts.items())
    return f"| {figures.name} | {answers or 'none'} | {facts} |"


async def measure(projects: Projects) -> None:
    """Print a line for each run."""
    for module in RUNS:
        print(row(await module.run(projects, SCALE)), flush=True)


def main() -> int:
    """Run all of them."""
    print("| Run | Answers | Counted |\n| --- | --- | --- |", flush=True)
    with generated() as projects:
        asyncio.run(measure(projects))
    return 0


if __name__ == "__main__":
    sys.exit(main())
