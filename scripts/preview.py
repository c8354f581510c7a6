"""Shows what a change of the template does to the output for a contract: `make preview CONTRACT=…`.

The working tree, uncommitted changes included, is compared with a commit. Both are rendered side by side;
nothing of Copier's surroundings, such as answers and tasks, is run. Git draws the difference.
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

from copier.errors import UserMessageError

from examples.rendering import PARTS, ROOT, export_template
from extensions.reading.source import message, read_bytes
from extensions.text.problems import no_contract
from tests.contracts.render import Renderer

BEFORE, AFTER = "before", "after"


def export_commit(commit: str, destination: Path, root: Path = ROOT) -> Path:
    """Copy the template as it is in a commit into a folder.

    Args:
        commit: Its name, as git knows it.
        destination: The folder to fill; it is created.
        root: The repository.

    Returns:
        The folder.

    Raises:
        ValueError: There is no such commit.
    """
    command = ["git", "-C", str(root), "archive", "--format=tar", commit, "--", *PARTS]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace").strip())
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(destination, filter="data")
    return destination


def difference(before: Path, after: Path, contract: dict[str, Any], folder: Path) -> bytes:
    """Return the difference of what two templates make of a contract, as git draws it; empty for none.

    Args:
        before: A template.
        after: Another one.
        contract: A contract.
        folder: An empty folder; both projects are left in it.

    Raises:
        UserMessageError: The contract has problems after the change.
    """
    with ProcessPoolExecutor(2) as pool:
        old, new = (
            pool.submit(_render, template, contract, folder / name)
            for template, name in ((before, BEFORE), (after, AFTER))
        )
        new.result()
        try:
            old.result()
        except UserMessageError as error:  # it does not know what the change brings: all is new
            print(f"Refused before the change: {error}", file=sys.stderr)
            shutil.rmtree(folder / BEFORE, ignore_errors=True)
            (folder / BEFORE).mkdir()
    for side in (BEFORE, AFTER):  # of one line, and readable in schemas/
        for schema in (folder / side).rglob("contract.schema.json"):
            schema.unlink()
    colour = "always" if sys.stdout.isatty() else "never"
    command = ["git", "diff", "--no-index", "--no-ext-diff", f"--color={colour}", "--stat", "--patch", BEFORE, AFTER]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=False).stdout


def _render(template: Path, contract: dict[str, Any], destination: Path) -> None:
    Renderer(template).render(contract, destination)


def _contract(path: Path) -> dict[str, Any]:
    document = read_bytes(path.read_bytes())
    found = [(place, problem) for problem, place in document.problems]
    if not found and not isinstance(document.value, dict):
        found = [(document.start, no_contract(document.value))]
    if found:
        raise ValueError(message(found, str(path)))
    contract: dict[str, Any] = document.value
    return contract


def main() -> int:
    """Show the difference.

    Returns:
        0 when both were rendered, whether they differ or not; 1 when the contract or the commit is wrong.
    """
    parser = argparse.ArgumentParser(description="Show what the working tree changes in the output for a contract.")
    parser.add_argument("contract", type=Path)
    parser.add_argument("--against", default="HEAD", metavar="COMMIT", help="what is compared with (default: HEAD)")
    arguments = parser.parse_args()
    try:
        contract = _contract(arguments.contract)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            before = export_commit(arguments.against, folder / "old")
            after = export_template(folder / "new")
            drawn = difference(before, after, contract, folder)
    except (OSError, ValueError, UserMessageError) as error:
        print(error, file=sys.stderr)
        return 1
    sys.stdout.buffer.write(drawn or f"No difference to {arguments.against}.\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
