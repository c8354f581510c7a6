"""The five questions that Copier asks: each answer is judged at once, and operations follow from what a node does."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..judging.judge import judge
from .draft import TooLittleError, draft
from .interview import said
from .questions import NODE_TYPES

ASKED: Final = ("name", "node_type", "package", "description", "version")
"""What is asked, in this order."""
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {"node_type": NODE_TYPES}
"""The answers to questions that have no others, each with what it means."""


def mistake(key: str, answer: str, before: Mapping[str, Any]) -> str:
    """Return what is wrong with an answer, for the person who gives it; empty when nothing is.

    Args:
        key: The question, one of `ASKED`.
        answer: What was typed.
        before: What else was answered, by question.
    """
    if not answer.strip():
        return "an answer is needed"
    answered = {**before, key: answer}
    if wrong := [problem for problem in judge(answered) if problem.path[:1] == (key,)]:
        return "; ".join(map(said, wrong))
    if key == "description":
        try:
            completed(answered)
        except TooLittleError as error:
            return str(error)
    return ""


def completed(answered: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contract that answers come to: its operations are drafted from the description.

    Args:
        answered: Keys of the contract; these stand as they are.

    Raises:
        TooLittleError: Nothing can be drafted from the description.
    """
    node_type, package, text = (answered.get(key) for key in ("node_type", "package", "description"))
    if not text or not isinstance(text, str):
        return dict(answered)
    made = draft(text, name=answered.get("name"), package=package, node_type=node_type)
    return made.contract | dict(answered)


def drafted(operations: Sequence[str]) -> str:
    """Return what a person is told who gets operations that nobody named."""
    return f"drafted from the description: {', '.join(operations)}; check them in node.yaml"
