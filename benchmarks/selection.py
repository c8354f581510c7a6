"""How long it takes to choose a node's base class and mixins, its integrations, and its variant."""

import statistics
import time
from collections.abc import Callable

import yaml

from examples.rendering import CONTRACTS
from extensions.deciding.decisions import decide_base_class, decide_integrations, decide_variant
from extensions.judging.judge import judge, read
from extensions.language.contract import Contract

ROUNDS = 9
CALLS = 1_000
GOAL_MS = 0.05
CHOICES: dict[str, Callable[[Contract], object]] = {
    "base class and mixins": decide_base_class,
    "integrations": decide_integrations,
    "variant": decide_variant,
}


def milliseconds(choose: Callable[[Contract], object], contract: Contract) -> float:
    """Return the median time of one call in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            choose(contract)
        times.append((time.perf_counter() - began) / CALLS * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure, and print a table."""
    print(f"{'contract':<20}" + "".join(f"{name:>24}" for name in CHOICES) + f"   goal: below {GOAL_MS} ms each")
    for path in sorted(CONTRACTS.glob("*.yaml")):
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not judge(raw):
            contract = read(raw)
            taken = [milliseconds(choose, contract) for choose in CHOICES.values()]
            print(f"{path.stem:<20}" + "".join(f"{value:>21.4f} ms" for value in taken))


if __name__ == "__main__":
    main()
