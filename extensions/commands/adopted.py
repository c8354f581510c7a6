"""What commands that take something in tell of the contract that came of it."""

from pathlib import Path

from ..adopting.adopted import Adopted
from ..judging.judge import judge
from ..terminal.command import say_json
from ..terminal.status import Status
from ..text.written import say, show, write


def deliver(adopted: Adopted, output: str | None, *, as_json: bool, shown: bool = True) -> int:
    """Print the contract, or write it; say on standard error what people have to look at, and what is wrong with it.

    Args:
        adopted: What came of it.
        output: The file to write, if any.
        as_json: Whether to print all of it as JSON instead.
        shown: Whether a contract that no file takes is printed.

    Returns:
        The exit status: 1 where something is wrong.
    """
    problems = judge(adopted.contract)
    if output is not None:
        write(Path(output), adopted.document())
    if as_json:
        say_json(
            {
                "contract": adopted.contract,
                "notes": [{"place": str(place), "note": what} for place, what in adopted.notes],
                "problems": [str(problem) for problem in problems],
            }
        )
    elif output is None and shown:
        show(adopted.document())
    for place, what in adopted.notes:
        say(f"look at {place}: {what}")
    for problem in problems:
        say(f"problem: {problem}")
    return Status.NOT_DONE if problems else Status.DONE
