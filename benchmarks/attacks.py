"""What a generated service does when clients attack it, counted: the attacks of the tests at a larger scale."""

import asyncio
import sys

from benchmarks.faults import row
from tests.faults import test_attacks
from tests.faults.harness import Scale, generated

SCALE = Scale(seconds=5, workers=60, crowd=1500)


def main() -> int:
    """Attack one service."""
    print("| Run | Answers | Counted |\n| --- | --- | --- |", flush=True)
    with generated() as projects:
        print(row(asyncio.run(test_attacks.run(projects, SCALE))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
