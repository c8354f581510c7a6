"""What the documentation site is made of: every page has its place, and every link leads somewhere."""

from collections.abc import Iterator
from pathlib import Path

import yaml

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
