"""Put what the repository has outside of `docs/` into the documentation site: `make docs`.

MkDocs calls this. The README is the start page; files that pages link to, such as contracts, become pages that show
them. Folders are not shown, and links to them are plain text.
"""

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# Pages outside of docs/, by their place in the repository.
PROJECT = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changes.md",
    "SECURITY.md": "project/security.md",
}
_PLACES = {uri: place for place, uri in PROJECT.items()}
_CODE = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(
    r"(?P<code>`+[^`]*`+)"
    r"|(?P<mark>!?)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s#]+)(?P<fragment>#[^()\s]*)?\)"
)
_LANGUAGES = {".yaml": "yaml", ".py": "python", ".json": "json", ".toml": "toml", ".sql": "sql"}


def prose(markdown: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a page, each with whether it is code in a fence."""
    for part in _CODE.split(markdown):
        yield part, _CODE.fullmatch(part) is not None


def links(markdown: str) -> Iterator[str]:
    """Yield what a page links to, without addresses of other sites, and without anchors."""
    for part, code in prose(markdown):
        if not code:
            targets = (found["target"] for found in _LINK.finditer(part) if found["target"])
            yield from (target for target in targets if ":" not in target)


def place_of(uri: str) -> str:
    """Return where the source of a page is in the repository."""
    return _PLACES.get(uri, f"docs/{uri}")


def resolved(target: str, place: str) -> str:
    """Return where in the repository a link of the file at `place` leads."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), target))


def uri_of(place: str) -> str | None:
    """Return the page that shows a file of the repository; none for a folder."""
    if place.startswith("docs/"):
        return place.removeprefix("docs/")
    if place in PROJECT:
        return PROJECT[place]
    return f"source/{place}.md" if (ROOT / place).is_file() else None


def shown(place: str) -> str:
    """Return the page that shows a file of the repository."""
    path = ROOT / place
    text = path.read_text(encoding="utf-8").rstrip("\n")
    return f"# {path.name}\n\n`{place}`\n\n````{_LANGUAGES.get(path.suffix, 'text')}\n{text}\n````\n"


def linked(markdown: str, uri: str) -> str:
    """Return a page whose links lead to pages of the site."""

    def link(found: re.Match[str]) -> str:
        target = found["target"]
        if target is None or ":" in target:
            return found[0]
        place = resolved(target, place_of(uri))
        if not (ROOT / place).exists():
            return found[0]
        page = uri_of(place)
        if page is None:
            return found["text"]
        relative = posixpath.relpath(page, posixpath.dirname(uri) or ".")
        return f"{found['mark']}[{found['text']}]({relative}{found['fragment'] or ''})"

    return "".join(part if code else _LINK.sub(link, part) for part, code in prose(markdown))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside of `docs/`."""
    for place, uri in PROJECT.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / place)))
    places = set()
    for page in files.documentation_pages():
        place = place_of(page.src_uri)
        places |= {resolved(target, place) for target in links(page.content_string)}
    for place in sorted(places):
        source = uri_of(place)
        if source is not None and source.startswith("source/"):
            content = shown(place)
            files.append(File.generated(config, source, content=content, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Let the links of a page lead to pages of the site."""
    return linked(markdown, page.file.src_uri)


def on_post_build(config: MkDocsConfig) -> None:
    """Put the sources of the pages beside them: `llms.txt` names these."""
    for path in Path(config.docs_dir).rglob("*.md"):
        shutil.copy(path, Path(config.site_dir) / path.relative_to(config.docs_dir))
