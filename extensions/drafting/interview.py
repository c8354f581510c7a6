"""Asks a person for a contract, a question at a time: what was answered is kept, and asked again where it is wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from ..judging.judge import judge
from ..text.problems import Path, Problem, did_you_mean

BACK: Final = "<"
"""What a person answers to come back to the question before."""


class Terminal(Protocol):
    """Where the person is."""

    def ask(self, question: str, default: str) -> str:
        """Return what is answered; the default where nothing is."""
        ...

    def tell(self, text: str) -> None:
        """Show a text that is no question."""
        ...


@dataclass(slots=True)
class Answers:
    """What was answered so far.

    Attributes:
        given: The answers as they were typed, by the question's key.
        again: The keys of answers that are to be asked for again, with the old one as the default.
    """

    given: dict[str, str] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Question:
    """A question.

    Attributes:
        key: What tells it from all others.
        text: What is asked.
        place: Where its answer goes in the contract.
        choices: The only answers, with what each means; any answer where there are none.
        default: The answer that pressing Enter gives; empty for none.
        optional: Whether it may stay without an answer, so that nothing goes into the contract.
        read: Makes the value of the contract of a text; its ValueError says what is wrong with the text.
        put: Whether the value goes into the contract at the place; else who asks does that.
        others: Tells which other answers there may be beside the choices.
        below: Makes the place of the value, for an answer that is a key of the contract.
    """

    key: str
    text: str
    place: Path
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str = ""
    optional: bool = False
    read: Callable[[str], Any] = str
    put: bool = True
    others: Callable[[str], bool] | None = None
    below: Callable[[str], Path] | None = None


class StuckError(Exception):
    """The contract has problems that no question is about; its text lists them."""


class _AgainError(Exception):
    """Something that was answered is asked for again: the questions start over, and skip what stands."""


class Interview:
    """One pass after another over the questions, each of which asks only what is open."""

    def __init__(
        self,
        script: Callable[["Interview"], None],
        terminal: Terminal,
        answers: Answers,
        keep: Callable[[Answers], None],
    ) -> None:
        """Take what is needed.

        Args:
            script: Asks the questions, in an order that follows from the answers alone.
            terminal: Where the person is.
            answers: What was answered before.
            keep: Is handed the answers after each one, so that none is lost.
        """
        self._script, self._terminal, self._answers, self._keep = script, terminal, answers, keep
        self._asked: dict[str, Path] = {}
        self.contract: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """Return the contract that the answers come to; it has no problems.

        Raises:
            StuckError: It has problems that no question is about.
        """
        while True:
            self._asked, self.contract = {}, {}
            try:
                self._script(self)
                self.settle()
            except _AgainError:
                continue
            return self.contract

    def tell(self, text: str) -> None:
        """Show a text that is no question."""
        self._terminal.tell(text)

    def ask(self, question: Question) -> Any:
        """Return the value of an answer, which may be one of before; None where there is none.

        A value is judged at once where it goes, and asked for until nothing is wrong with it there.
        """
        key, answers = question.key, self._answers
        self._asked[key] = question.place
        former = answers.given.get(key)
        if former is not None and key not in answers.again:
            try:
                return self._taken(question, former)
            except ValueError as error:
                answers.again.add(key)
                self.tell(f"{question.text}: {error}")
        while True:
            default = former or question.default
            text = self._terminal.ask(_shown(question), default).strip() or default
            if text == BACK:
                self._back(key)
            if former and text == "-" and question.optional:
                text = ""
            try:
                value = self._taken(question, text)
            except ValueError as error:
                self.tell(f"  {error}")
                continue
            answers.given[key] = text
            answers.again.discard(key)
            self._keep(answers)
            return value

    def fits(self, place: Path, value: Any) -> bool:
        """Tell whether a value may stand at a place of the contract, as far as that goes."""
        wrong = self._placed(place, value)
        _drop(self.contract, place)
        return not wrong

    def settle(self) -> None:
        """Judge the contract as far as it goes; what is wrong is asked for again.

        Raises:
            StuckError: No question is about it.
        """
        problems = judge(self.contract)
        if not problems:
            return
        self.tell("\n".join(["That does not fit together yet:", *(f"  {problem}" for problem in problems)]))
        wrong = {key for problem in problems for key in _about(problem, self._asked)}
        if not wrong:
            raise StuckError("\n".join(map(str, problems)))
        self.tell("Enter keeps an answer, - takes an optional one away.")
        self._answers.again |= wrong
        self._keep(self._answers)
        raise _AgainError

    def _placed(self, place: Path, value: Any) -> Sequence[Problem]:
        """Put a value into the contract; return what is wrong with it there."""
        _put(self.contract, place, value)
        return [problem for problem in judge(self.contract) if problem.path[: len(place)] == place]

    def _back(self, key: str) -> None:
        before = [asked for asked in self._asked if asked != key]
        self._answers.again |= {*before[-1:]}
        raise _AgainError

    def _taken(self, question: Question, text: str) -> Any:
        """Return the value of a text, and put it into the contract.

        Raises:
            ValueError: The text is no answer; why.
        """
        if not text:
            if question.optional:
                return None
            raise ValueError("an answer is needed")
        if not text.isprintable():
            raise ValueError("found characters that are not printed")
        is_free = not question.choices or (question.others is not None and question.others(text))
        value = question.read(text if is_free else _chosen(question.choices, text))
        if not question.put:
            return value
        place = self._asked[question.key] = question.below(value) if question.below else question.place
        if wrong := self._placed(place, {"type": "string"} if question.below else value):
            _drop(self.contract, place)
            raise ValueError("; ".join(said(problem) for problem in wrong))
        return value


def _shown(question: Question) -> str:
    if not any(question.choices.values()):
        return question.text + (f" ({', '.join(question.choices)}) " if question.choices else " ")
    choices = [f"\n  {name:<14} {meaning}" for name, meaning in question.choices.items()]
    return question.text + "".join(choices) + "\n"


def _chosen(choices: Mapping[str, str], text: str) -> str:
    """Return the choice that a text names: whole, or by a beginning that no other has."""
    begun = [text] if text in choices else [name for name in choices if name.startswith(text)]
    if len(begun) == 1:
        return begun[0]
    hint = did_you_mean(text, choices)
    raise ValueError(f"found {text!r}, expected one of {', '.join(choices)}" + (f" ({hint})" if hint else ""))


def said(problem: Problem) -> str:
    """Return what is wrong with an answer, without its place in the contract."""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"found {problem.found}, expected {problem.expected}{hint}"


def _about(problem: Problem, asked: Mapping[str, Path]) -> Sequence[str]:
    """Return the questions that a problem belongs to: those at its place, or else those that come nearest."""
    exact = [key for key, place in asked.items() if place == problem.path]
    shared = {key: _common(place, problem.path) for key, place in asked.items()}
    most = max(shared.values(), default=0)
    return exact or [key for key, length in shared.items() if length == most and most]


def _common(one: Path, other: Path) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _put(contract: Any, place: Path, value: Any) -> None:
    *above, last = place
    for step, following in zip(above, place[1:], strict=True):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int) and step == len(contract):
            contract.append(empty)
        elif not isinstance(step, int):
            contract.setdefault(step, empty)
        contract = contract[step]
    if isinstance(last, int) and last == len(contract):
        contract.append(value)
    else:
        contract[last] = value


def _drop(contract: Any, place: Path) -> None:
    """Take a value away, and what is empty without it."""
    *above, last = place
    holder = contract
    for step in above:
        holder = holder[step]
    del holder[last]
    if above and not holder:
        _drop(contract, tuple(above))
