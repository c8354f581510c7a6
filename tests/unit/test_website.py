"""What the documentation site is made of: every page has its place, and every link leads somewhere."""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.rendering import read_contract
from extensions.judging.judge import read
from scripts import website

WRITTEN = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}


def places(root: Path) -> list[str]:
    """Return the pages, by their places in the repository."""
    return sorted(WRITTEN | {path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")})


def entries(nav: object) -> Iterator[str]:
    """Yield the pages that a part of the navigation names."""
    if isinstance(nav, str):
        yield nav
    for each in nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ():
        yield from entries(each)


def test_every_page_is_in_the_navigation_once(root: Path) -> None:
    config = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))

    assert sorted(entries(config["nav"])) == sorted(str(website.uri_of(place)) for place in places(root))
    assert config["strict"] is True
    assert config["theme"]["font"] is False


def test_every_link_leads_to_a_file_or_a_folder(root: Path) -> None:
    found = [
        (place, target)
        for place in places(root)
        for target in website.links((root / place).read_text(encoding="utf-8"))
    ]

    assert [each for each in found if not (root / website.resolved(each[1], each[0])).exists()] == []
    assert {"docs/tutorial.md", "examples/contracts"} <= {target for _, target in found}


def test_links_lead_to_pages_of_the_site() -> None:
    text = "[a](docs/tutorial.md#2-write-a-contract) [`b[0]`](runtime) [c](https://d.example) ![e](docs/none.svg)"

    assert website.linked(text, "index.md") == (
        "[a](tutorial.md#2-write-a-contract) `b[0]` [c](https://d.example) ![e](docs/none.svg)"
    )
    assert (
        website.linked("[a](../README.md) [b](../CHANGELOG.md)", "tutorial.md")
        == "[a](index.md) [b](project/changes.md)"
    )
    contract = "../../examples/contracts/price_quote.yaml"
    assert (
        website.linked(f"[a]({contract})", "reference/nodes.md")
        == "[a](../source/examples/contracts/price_quote.yaml.md)"
    )


def test_code_is_left_alone() -> None:
    text = "```sh\n[a](docs/tutorial.md)\n```\nIn a sentence, `[a](docs/tutorial.md)`.\n"

    assert website.linked(text, "index.md") == text
    assert list(website.links(text)) == []


def contracts(text: str) -> Iterator[dict[str, Any]]:
    """Yield the whole contracts that a page shows."""
    for found in re.finditer(r"^( *)```yaml\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
        value = yaml.safe_load(textwrap.dedent(found[2])) if "\nname:" in f"\n{textwrap.dedent(found[2])}" else None
        if isinstance(value, dict) and {"name", "node_type", "operations"} <= value.keys():
            yield value


@pytest.mark.parametrize(("page", "names"), [
    ("cheat-sheet", ["greetings", "area", "visits", "delivery"]), ("lesson", ["parcel_price"]), ("tutorial", ["notes"]),
])  # fmt: skip
def test_contracts_that_pages_show_are_valid(root: Path, page: str, names: list[str]) -> None:
    text = (root / "docs" / f"{page}.md").read_text(encoding="utf-8")

    assert [read(contract).name for contract in contracts(text)] == names


def test_messages_that_are_explained_are_those_that_there_are(root: Path) -> None:
    sources = [path for folder in ("extensions", "runtime", "schemas") for path in (root / folder).rglob("*.*")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.suffix in {".py", ".json"})
    said = re.sub(r'"\s*\n\s*f?"', "", said)
    page = (root / "docs" / "howto" / "troubleshoot.md").read_text(encoding="utf-8")
    messages = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    parts = {part.strip() for message in messages for part in message.split("…") if len(part.strip()) > 3}

    assert len(messages) > 40
    # It is Copier's own.
    assert {part for part in parts if part not in said} == {"Template uses potentially unsafe feature"}


def test_pictures_ask_no_server_and_show_the_example(root: Path) -> None:
    drawn = {path.name: path.read_text(encoding="utf-8") for path in (root / "docs" / "pictures").glob("*.svg")}
    addresses = {address for text in drawn.values() for address in re.findall(r"https?://[^\"' )<]+", text)}
    order = read(read_contract(root / "examples" / "contracts" / "order_workflow.yaml")).operations[0].workflow

    assert sorted(drawn) == ["session.svg", "workflow.svg"]
    assert {address for address in addresses if "w3.org" not in address and "textualize" not in address} == set()
    assert order is not None
    assert [step.name for step in order.steps if step.name not in drawn["workflow.svg"]] == []


def test_pages_for_programs_name_what_there_is(root: Path) -> None:
    listed = list(website.links((root / "docs" / "llms.txt").read_text(encoding="utf-8")))
    told = json.loads((root / "docs" / "reference.json").read_text(encoding="utf-8"))
    pages = {place.removeprefix("docs/") for place in places(root) if place.startswith("docs/")}

    assert sorted(listed) == sorted({*pages, "reference.json"})
    (limit,) = (key for key in told["keys"] if (key["in"], key["key"]) == ("Operation: cache", "ttl_seconds"))
    assert (limit["required"], limit["maximum"]) == (True, 31536000)
    assert "--undo" in next(each["options"] for each in told["commands"] if each["name"] == "update-node")
    assert told["exit_statuses"]["130"]
