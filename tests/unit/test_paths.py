"""The tree of the template: names that every system takes, and one list of what a node does without."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import read
from extensions.viewing.build import view
from extensions.viewing.left_out import NEEDED, left_out
from extensions.viewing.node import NodeView

TEMPLATE = Path(__file__).resolve().parents[2] / "template"
LONGEST = 160
MOST_LINES = 500
ROOTS = {
    "{{ node.folder }}": "{node}",
    "{{ node.package_folder }}": "{package}",
    "{{ node.place.tests }}": "{tests}",
    "{{ node.place.deploy }}": "{deploy}",
    "{{ node.migrations_folder }}": "{migrations}",
    "{{ node.place.home }}": "",
}


def view_of(layout: str) -> NodeView:
    return view(read(read_contract(CONTRACTS / "distributed_lock.yaml") | {"layout": layout}))


def tracked() -> list[str]:
    """Return the paths of the repository's files."""
    command = ["git", "-C", str(TEMPLATE.parent), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]


def plain(path: str) -> str:
    """Return a path of the template in the form of the list of what nodes do without."""
    for root, short in ROOTS.items():
        if path == root or path.startswith(f"{root}/"):
            path = f"{short}{path.removeprefix(root)}".lstrip("/")
            break
    return re.sub(r"\{% yield .*?%\}.*?\{% endyield %\}|\{\{ node\.name \}\}", "*", path).removesuffix(".j2")


def test_every_system_can_check_the_repository_out() -> None:
    # Git knows no folders and writes names as they are; Windows forbids these, and dots and spaces at the end.
    illegal = [path for path in tracked() if re.search(r'[<>:"\\|?*\x00-\x1f]|[. ](/|$)', path)]

    assert illegal == []
    assert [path for path in tracked() if len(path) > LONGEST] == []


def test_modules_have_a_size_that_can_be_read() -> None:
    modules = [path for path in tracked() if path.startswith(("extensions/", "runtime/")) and path.endswith(".py")]
    sizes = {path: (TEMPLATE.parent / path).read_bytes().count(b"\n") for path in modules}

    assert len(sizes) > MOST_LINES // 5
    assert {path: lines for path, lines in sizes.items() if lines > MOST_LINES} == {}


def test_names_differ_in_more_than_case() -> None:
    paths = tracked()

    assert len({path.casefold() for path in paths}) == len(paths)


def test_no_links() -> None:
    """Where links are no part of the file system, git writes files with the name of their target."""
    assert [path for path in tracked() if (TEMPLATE.parent / path).is_symlink()] == []


def test_no_path_has_a_condition() -> None:
    assert [path for path in TEMPLATE.rglob("*") if "{% if" in path.name] == []


def test_each_pattern_has_its_file() -> None:
    paths = [plain(path.relative_to(TEMPLATE).as_posix()) for path in TEMPLATE.rglob("*")]

    assert [pattern for pattern in NEEDED if not any(fnmatch(path, pattern) for path in paths)] == []


def test_what_lies_outside_the_nodes_folders_is_the_projects() -> None:
    """A node that is generated into a project must not write over the files of others."""
    own = {*ROOTS, "src"}
    found = [path.name.removesuffix(".j2") for path in TEMPLATE.iterdir() if path.name.removesuffix(".j2") not in own]
    package = TEMPLATE / "{{ node.package_folder }}"
    files = [path for path in package.rglob("*") if path.is_file()]
    found += [plain(path.relative_to(TEMPLATE).as_posix()) for path in files]
    found = [name for name in found if name != "{{ _copier_conf.answers_file }}"]
    project, inside = view_of("project"), view_of("node")

    assert sorted(found) == sorted(
        pattern for pattern, needed in NEEDED.items() if needed(project) and not needed(inside)
    )


@pytest.mark.parametrize("layout", ["project", "node"])
def test_patterns_start_at_the_root(layout: str) -> None:
    patterns = left_out(view_of(layout))

    assert patterns == tuple(sorted(patterns))
    assert all(PurePosixPath(pattern).is_absolute() and "{" not in pattern for pattern in patterns)
