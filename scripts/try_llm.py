"""Lets a model draft the corpus and fill in stubs, and compares with what it should reach: `make try-llm`.

The only place that asks a real endpoint; no test does. It is whoever calls it who names and pays one.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from examples.rendering import ROOT, export_template, generate, read_contract
from extensions.asking import figures
from extensions.asking.client import AskingError
from extensions.asking.figures import Made
from extensions.asking.options import Asking, asking_options
from extensions.drafting.asked import NoDraftError, draft_with
from extensions.drafting.draft import TooLittleError
from extensions.filling.fill import Filling, node_in
from extensions.project.places import Place
from extensions.terminal.command import command, run
from scripts import corpus

PASSING, DOLLARS, SECONDS = 0.8, 0.05, 5.0
"""What is to be reached: the part that passes, and what one takes on average."""

FILLED = ("contracts/custom_greeting", "catalogue/codegen_stub_extractor", "catalogue/codegen_code_validator")


@command(
    "try-llm", "Compare a model with what it should reach.", ("try-llm --model NAME --most 3", "some of the corpus")
)
@click.option("--most", type=int, default=1000, metavar="N", help="Descriptions and stubs, at most.")
@asking_options
def _command(asking: Asking, *, asked_for: bool, most: int) -> int:
    if not asked_for or asking.model is None:
        raise click.UsageError("name a model: make try-llm MODEL=… [BASE_URL=…] [PRICE_IN=… PRICE_OUT=…]")
    asking.strategy = "model"
    reached = True
    for title, made in (("drafts", _drafts(asking, most)), ("bodies", _bodies(asking, most))):
        reached = _show(title, list(made)) and reached
    return 0 if reached else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and print what came of it.

    Returns:
        0 when all that should be reached was, else 1.
    """
    return run(_command, arguments)


def _drafts(asking: Asking, most: int) -> Iterator[Made]:
    """Draft what says enough; a draft of another type than a person expects is none."""
    entries = [entry for entry in corpus.entries(corpus.CORPUS) if entry.get("type") not in {None, "refused"}]
    for entry in entries[:most]:
        made = Made(str(entry["text"]).strip().partition("\n")[0][:40], str(entry["type"]))
        try:
            found = draft_with(entry["text"], asking, made, package=None, node_type=None)
            made.succeeded = found.draft.contract["node_type"] == entry["type"]
        except (NoDraftError, TooLittleError) as error:
            made.note = str(error)
        yield made


def _bodies(asking: Asking, most: int) -> Iterator[Made]:
    with tempfile.TemporaryDirectory(prefix="try-llm.") as folder:
        template = export_template(Path(folder) / "template")
        for name in FILLED[:most]:
            contract = read_contract(ROOT / "examples" / f"{name}.yaml")
            node = node_in(generate(template, contract, Path(folder) / Path(name).name).resolve(), Place())
            filling = Filling(node, asking)
            try:
                filling.fill(node.stubs)
            except AskingError as error:
                filling.made.append(Made(name, node.node_type, outcome="stub", note=str(error)))
            yield from filling.made


def _show(title: str, made: list[Made]) -> bool:
    """Print the figures; tell whether they reach what they should."""
    figures.show("model", made)
    for each in made:
        if not each.succeeded:
            print(f"{each.name}: {each.note.splitlines()[0] if each.note else 'another type than expected'}")
    passed = sum(each.succeeded for each in made) / len(made)
    seconds = sum(each.seconds for each in made) / len(made)
    costs = [each.cost_usd for each in made if each.cost_usd is not None]
    cost = f"${sum(costs) / len(made):.4f}" if costs else "unknown: give both prices"
    print(f"{title}: {passed:.0%} pass (goal: over {PASSING:.0%}), {cost} each (goal: under ${DOLLARS}), ", end="")
    print(f"{seconds:.1f} s each (goal: under {SECONDS} s)")
    return passed > PASSING and seconds < SECONDS and (not costs or sum(costs) / len(made) < DOLLARS)


if __name__ == "__main__":
    sys.exit(main())
