"""What commands that take something in tell of the contract that came of it."""

from ..adopting.adopted import Adopted
from ..judging.judge import judge
from ..text.written import say


def told(adopted: Adopted) -> int:
    """Say on standard error what people have to look at, and what is wrong with the contract.

    Args:
        adopted: What came of it.

    Returns:
        The exit status: 1 where something is wrong.
    """
    for place, what in adopted.notes:
        say(f"look at {place}: {what}")
    problems = judge(adopted.contract)
    for problem in problems:
        say(f"problem: {problem}")
    return 1 if problems else 0
