"""Options of commands that ask a model, and what they come to."""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

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


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    group = parser.add_argument_group("asking a model")
    group.add_argument("--model", metavar="NAME", help="the model to ask, as its endpoint calls it")
    group.add_argument("--base-url", metavar="URL", help="its endpoint; default: OPENAI_BASE_URL, or OpenAI's own")
    group.add_argument(
        "--strategy",
        choices=STRATEGIES,
        help="rules alone, a model alone, or a model and then the rules' own (default)",
    )
    group.add_argument("--attempts", type=_attempts, default=3, metavar="N", help="for one thing; default: 3")
    group.add_argument(
        "--timeout", type=_positive, default=120.0, metavar="SECONDS", help="of one answer; default: 120"
    )
    group.add_argument("--budget-usd", type=_positive, metavar="X", help="what may be spent; needs both prices")
    group.add_argument("--price-in", type=_price, metavar="X", help="US dollars for a million tokens of a prompt")
    group.add_argument("--price-out", type=_price, metavar="X", help="US dollars for a million tokens of an answer")


def read(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Asking:
    """Return how a model is asked; what does not fit together ends the command."""
    strategy = options.strategy or ("hybrid" if options.model else "template")
    if strategy == "template" and options.model:
        parser.error("--strategy template asks no model: leave --model out")
    if strategy != "template" and not options.model:
        parser.error(f"--strategy {strategy} needs --model")
    if options.base_url and not options.model:
        parser.error("--base-url needs --model")
    if (options.price_in is None) != (options.price_out is None):
        parser.error("give both --price-in and --price-out")
    if options.budget_usd is not None and options.price_in is None:
        parser.error("--budget-usd needs --price-in and --price-out")
    purse = Purse(options.price_in, options.price_out, options.budget_usd)
    return Asking(strategy, options.model, options.base_url, options.attempts, options.timeout, purse)


def _attempts(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_ATTEMPTS:
        raise argparse.ArgumentTypeError(f"from 1 to {_MOST_ATTEMPTS}")
    return number


def _price(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError("a number from 0")
    return number


def _positive(text: str) -> float:
    if (number := _price(text)) == 0:
        raise argparse.ArgumentTypeError("a number above 0")
    return number
