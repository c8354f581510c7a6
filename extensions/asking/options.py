"""Options of commands that ask a model, and what they come to."""

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import click
from rich.console import Console

from .client import FEWEST_TOKENS, MOST_TOKENS, Answer, AskingError, Message, Model, tokens_in
from .figures import Made

STRATEGIES: Final = ("template", "model", "hybrid")
_MOST_ATTEMPTS = 10


class BudgetError(AskingError):
    """What is left pays no answer."""


@dataclass(slots=True)
class Purse:
    """What may be spent.

    Attributes:
        price_in: US dollars for a million tokens of a prompt; None where it is unknown.
        price_out: The same for an answer.
        budget: US dollars that may be spent; None for any.
        spent: US dollars that were.
    """

    price_in: float | None = None
    price_out: float | None = None
    budget: float | None = None
    spent: float = 0.0

    def cost(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return what a prompt and its answer cost."""
        if self.price_in is None or self.price_out is None:
            return None
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1_000_000

    def longest(self, prompt: str) -> int:
        """Return how many tokens the answer to a prompt may have, so that it can be paid.

        Raises:
            BudgetError: Too few for an answer that is of use.
        """
        least, most = self.cost(tokens_in(prompt), FEWEST_TOKENS), self.cost(tokens_in(prompt), MOST_TOKENS)
        if self.budget is None or least is None or most is None:
            return MOST_TOKENS
        left = self.budget - self.spent
        if least > left:
            raise BudgetError(f"An answer could cost ${least:.4f}; of ${self.budget:.4f}, ${self.spent:.4f} are spent.")
        if most <= left:
            return MOST_TOKENS
        return FEWEST_TOKENS + int((left - least) / (most - least) * (MOST_TOKENS - FEWEST_TOKENS))


@dataclass(slots=True)
class Asking:
    """How a model is asked.

    Attributes:
        strategy: `template`, `model` or `hybrid`.
        model: The model's name; None where none is asked.
        base_url: Its endpoint; None for that of the environment.
        attempts: How often it is asked for one thing.
        seconds: How long an answer may take.
        purse: What may be spent.
    """

    strategy: str
    model: str | None
    base_url: str | None
    attempts: int
    seconds: float
    purse: Purse

    @contextmanager
    def connected(self) -> "Iterator[Asked]":
        """Yield what asks the model.

        Raises:
            AskingError: It can't be asked at all.
        """
        model = Model(self.model or "", self.base_url, seconds=self.seconds)
        try:
            yield Asked(model, self.purse)
        finally:
            model.close()


class Asked:
    """A model that is asked within a budget, and shown to be waited for."""

    def __init__(self, model: Model, purse: Purse) -> None:
        """Keep both."""
        self._model, self._purse = model, purse

    def ask(self, made: Made, messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> Answer:
        """Ask once, and count it.

        Args:
            made: What it is asked for.
            messages: The conversation.
            schema: As JSON Schema, what the answer is to be.

        Raises:
            AskingError: There is no answer, or it could not be paid.
        """
        longest = self._purse.longest("\n".join(message["content"] for message in messages))
        made.attempts += 1
        with made.stage("model"), waiting(f"{made.name}: asking {self._model.name}, attempt {made.attempts}"):
            answer = self._model.ask(messages, schema, longest)
        made.prompt_tokens += answer.prompt_tokens
        made.answer_tokens += answer.answer_tokens
        cost = self._purse.cost(answer.prompt_tokens, answer.answer_tokens)
        if cost is not None:
            made.cost_usd = (made.cost_usd or 0.0) + cost
            self._purse.spent += cost
        return answer


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on standard error what is waited for: moving on a terminal, one line elsewhere."""
    console = Console(stderr=True, highlight=False, markup=False)
    shown = "".join(char if char.isprintable() else " " for char in text)
    if not console.is_terminal:
        console.print(shown, soft_wrap=True)
        yield
        return
    with console.status(shown.replace("[", "(")):
        yield


def asking_options[Function: Callable[..., Any]](function: Function) -> Function:
    """Add the options to a command: it hands the function `asking`, and whether that was asked for.

    What does not fit together ends the command.
    """

    @functools.wraps(function)
    def called(**given: Any) -> Any:
        asked = {name: given.pop(name) for name in _NAMES}
        return function(asking=_read(**asked), asked_for=bool(asked["strategy"] or asked["model"]), **given)

    for option in reversed(_OPTIONS):
        called = option(called)
    return called  # type: ignore[return-value] # it takes other arguments


_NAMES: Final = ("model", "base_url", "strategy", "attempts", "timeout", "budget_usd", "price_in", "price_out")


def _read(
    *,
    model: str | None,
    base_url: str | None,
    strategy: str | None,
    attempts: int,
    timeout: float,
    budget_usd: float | None,
    price_in: float | None,
    price_out: float | None,
) -> Asking:
    """Return how a model is asked; what does not fit together ends the command."""
    strategy = strategy or ("hybrid" if model else "template")
    wrong = {
        "--strategy template asks no model: leave --model out": strategy == "template" and model,
        f"--strategy {strategy} needs --model": strategy != "template" and not model,
        "--base-url needs --model": base_url and not model,
        "give both --price-in and --price-out": (price_in is None) != (price_out is None),
        "--budget-usd needs --price-in and --price-out": budget_usd is not None and price_in is None,
    }
    for message, is_wrong in wrong.items():
        if is_wrong:
            raise click.UsageError(message)
    return Asking(strategy, model, base_url, attempts, timeout, Purse(price_in, price_out, budget_usd))


class _Number(click.ParamType[float]):
    """A finite number from 0 on, or above it."""

    name = "number"

    def __init__(self, *, above: bool) -> None:
        self._above = above

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= 0 and (number > 0 or not self._above)):
            self.fail("a number above 0 is needed" if self._above else "a number from 0 on is needed", param, ctx)
        return number


_PRICE, _POSITIVE = _Number(above=False), _Number(above=True)
_OPTIONS: Final = (
    click.option("--model", metavar="NAME", help="The model to ask, as its endpoint calls it."),
    click.option("--base-url", metavar="URL", help="Its endpoint; default: OPENAI_BASE_URL, or OpenAI's own."),
    click.option(
        "--strategy",
        type=click.Choice(STRATEGIES),
        help="Rules alone, a model alone, or a model and then the rules' own (default).",
    ),
    click.option(
        "--attempts",
        type=click.IntRange(1, _MOST_ATTEMPTS),
        default=3,
        metavar="N",
        help="How often it is asked for one thing; default: 3.",
    ),
    click.option(
        "--timeout", type=_POSITIVE, default=120.0, metavar="SECONDS", help="How long an answer may take; default: 120."
    ),
    click.option("--budget-usd", type=_POSITIVE, metavar="X", help="What may be spent; needs both prices."),
    click.option("--price-in", type=_PRICE, metavar="X", help="US dollars for a million tokens of a prompt."),
    click.option("--price-out", type=_PRICE, metavar="X", help="US dollars for a million tokens of an answer."),
)
