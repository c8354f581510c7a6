"""What a generated service does when clients attack it, counted: the attacks of the tests at a larger scale."""

import asyncio
import sys

from benchmarks.faults import row
from tests.faults import test_attacks
from tests.faults.harness import Scale, generated

ATTACKS = (
    test_attacks.compute,
    test_attacks.aggregation,
    test_attacks.state_machine,
    test_attacks.effect,
    test_attacks.workflow,
)
SCALE = Scale(seconds=3, workers=6, crowd=1500)


def main() -> int:
    """Attack services of all types of nodes."""
    print("| Run | Answers | Counted |\n| --- | --- | --- |", flush=True)
    with generated() as projects:
        for attack in ATTACKS:
            print(row(asyncio.run(attack(projects, SCALE))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
