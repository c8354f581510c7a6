"""Updates run only what is trusted, and what a machine's git, locale or line ends say decides nothing."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from examples.rendering import CONTRACTS, ROOT, read_contract
from tests.conftest import Run
from tests.generation.history import (
    LINE_OF_VERSION_2,
    change_contract,
    commit,
    contents,
    copy,
    edit,
    git,
    make_history,
)

NODE = "src/greeting_nodes/nodes/node_greeting_effect"
HANDLER = f"{NODE}/handlers/custom/handler_greet.py"
NEW_FILE = "docs/new.sql"
# A locale in which Python knows ASCII alone, and an output that takes nothing else.
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii:strict"}
UNUSUAL = """
[user]
name = Test
email = test@example.org
useConfigOnly = true
[init]
defaultBranch = main
[core]
autocrlf = {autocrlf}
excludesFile = {ignored}
hooksPath = {hooks}
quotePath = true
safecrlf = {safecrlf}
[commit]
gpgSign = true
[gpg]
program = false
[diff]
noprefix = true
external = false
mnemonicPrefix = true
[merge]
conflictStyle = zdiff3
[status]
showUntrackedFiles = no
[apply]
whitespace = error
[submodule]
recurse = true
"""


@pytest.fixture(scope="module")
def template(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    template = make_history(run, tmp_path_factory.mktemp("history") / "template")
    git(run, template, "checkout", "--quiet", "-b", "second", "v2.0.0")
    (template / "template" / NEW_FILE).parent.mkdir()
    (template / "template" / NEW_FILE).write_text("SELECT 1;\n", encoding="utf-8")
    commit(run, template, "A new file")
    git(run, template, "tag", "v2.1.0")
    return template


@pytest.fixture(scope="module")
def pristine(run: Run, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    contract = read_contract(CONTRACTS / "custom_greeting.yaml")
    return copy(run, template, tmp_path_factory.mktemp("pristine") / "project", contract, "v1.0.0")


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "project")


@pytest.fixture
def update(run: Run) -> Callable[..., tuple[int, str]]:
    def call(*arguments: str | Path, **environment: str) -> tuple[int, str]:
        result = run(sys.executable, "-m", "extensions.updating.command", *arguments, cwd=ROOT, **environment)
        return result.returncode, result.stdout + result.stderr

    return call


def set_port(contract: dict[str, object]) -> None:
    contract["service"] = {"port": 8123}


def unusual_git(folder: Path, *, autocrlf: bool) -> dict[str, str]:
    """Return the variables for a git whose settings are all unlike the ones that it comes with."""
    hooks = folder / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "post-checkout", "commit-msg", "post-index-change"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    (folder / "ignored").write_text("*.sql\nREADME.md\ntests/\n", encoding="utf-8")
    crlf = {"autocrlf": "true" if autocrlf else "false", "safecrlf": "true" if not autocrlf else "false"}
    text = UNUSUAL.format(ignored=folder / "ignored", hooks=hooks, **crlf)
    (folder / "unusual").write_text(text, encoding="utf-8")
    return {"GIT_CONFIG_GLOBAL": str(folder / "unusual")}


def leaked(folder: Path) -> dict[str, str]:
    """Return what git sets for the hooks of another repository."""
    other = {name: str(folder / "other") for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE")}
    return other | {"GIT_PREFIX": "x/", "GIT_LITERAL_PATHSPECS": "1", "GIT_OBJECT_DIRECTORY": str(folder / "other")}


def with_crlf(project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("committed", [False, True], ids=["in the tree", "in the commit"])
def test_unusual_machine(
    run: Run, project: Path, tmp_path: Path, update: Callable[..., tuple[int, str]], *, committed: bool
) -> None:
    """Carriage returns, ignored files, hooks, signatures, an ASCII locale, a work tree or a separate git directory."""
    if committed:
        home = tmp_path / "a folder, für alle"
        shutil.move(project, home)
        git(run, home, "init", "--quiet", "--separate-git-dir", str(tmp_path / "elsewhere.git"))
        with_crlf(home)
        commit(run, home, "Line ends")
    else:
        home = tmp_path / "a tree, für alle"
        git(run, project, "-c", "core.autocrlf=true", "worktree", "add", "--quiet", "--detach", str(home))
    edit(home / "README.md", "\n", "\nA paragraph by a person.\n\n")
    with_crlf(home)
    (home / "Makefile").chmod(0o600)
    git(run, home, "-c", f"core.autocrlf={str(not committed).lower()}", "commit", "--quiet", "--all", "--message", "E")
    change_contract(home, set_port)
    settings = unusual_git(tmp_path, autocrlf=not committed)

    status, output = update(home, "--to", "v2.1.0", HOME="/nowhere", **settings, **leaked(tmp_path), **ASCII)

    assert status == 0, output
    assert r"v1.0.0 \u2192 v2.1.0" in output
    assert re.search(rf"{re.escape(NEW_FILE)} +[│|] added ", output)
    readme = (home / "README.md").read_bytes().decode("utf-8")
    assert LINE_OF_VERSION_2 in readme
    assert "A paragraph by a person.\r\n" in readme
    assert b"8123" in (home / NODE / "settings.py").read_bytes()
    tracked = git(run, home, "ls-files", "-z").split("\0")
    for name in (*tracked, NEW_FILE):
        content = (home / name).read_bytes() if (home / name).is_file() else b""
        if name not in {"node.yaml", ""}:
            assert content.count(b"\n") == content.count(b"\r\n"), name
    assert (home / "Makefile").stat().st_mode & 0o777 == 0o600
    assert run("make", "drift", cwd=home).returncode == 0, run("make", "drift", cwd=home).stdout


def test_dry_run_in_a_hook_leaves_the_commit_alone(run: Run, project: Path) -> None:
    hook = project / ".git" / "hooks" / "pre-commit"
    command = f"cd {ROOT} && exec {sys.executable} -m extensions.updating.command {project} --dry-run"
    hook.write_text(f"#!/bin/sh\n{command} > {project}/build/said 2>&1\n", encoding="utf-8")
    hook.chmod(0o755)
    change_contract(project, set_port)

    git(run, project, "commit", "--quiet", "--message", "Another port", "--", "node.yaml")

    said = (project / "build" / "said").read_text(encoding="utf-8")
    assert re.search(rf"{NODE}/settings.py +[│|] changed ", said)
    assert git(run, project, "show", "--name-only", "--format=", "HEAD") == "node.yaml\n"
    assert git(run, project, "status", "--porcelain") == ""


def test_generated_files_that_git_ignores_are_updated(
    run: Run, project: Path, update: Callable[..., tuple[int, str]]
) -> None:
    (project / ".gitignore").write_text(f"{(project / '.gitignore').read_text()}\n*.sql\nREADME.md\n", encoding="utf-8")
    git(run, project, "rm", "--quiet", "--cached", "README.md")
    commit(run, project, "Ignore")
    edit(project / "README.md", "\n", "\nA paragraph by a person.\n\n")

    status, output = update(project, "--to", "v2.1.0")

    assert status == 0, output
    assert (project / NEW_FILE).read_text(encoding="utf-8") == "SELECT 1;\n"
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert LINE_OF_VERSION_2 in readme
    assert "A paragraph by a person." in readme


def test_repository_with_longer_names_and_a_submodule_at_work(
    run: Run, project: Path, tmp_path: Path, update: Callable[..., tuple[int, str]]
) -> None:
    shutil.rmtree(project / ".git")
    git(run, project, "init", "--quiet", "--object-format=sha256")
    library = tmp_path / "library"
    library.mkdir()
    git(run, library, "init", "--quiet", "--object-format=sha256")
    (library / "text").write_text("theirs\n", encoding="utf-8")
    commit(run, library, "Library")
    git(run, project, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library), "vendor")
    commit(run, project, "Submodule")
    (project / "vendor" / "text").write_text("mine\n", encoding="utf-8")
    change_contract(project, set_port)

    status, output = update(project)

    assert status == 0, output
    assert "8123" in (project / NODE / "settings.py").read_text(encoding="utf-8")
    assert (project / "vendor" / "text").read_text(encoding="utf-8") == "mine\n"


def test_conflicts_in_a_contract_and_in_a_text_are_marked_as_in_code(
    run: Run, project: Path, update: Callable[..., tuple[int, str]]
) -> None:
    edit(project / NODE / "contract.yaml", "Greets a person by name.", "Greets everybody.")
    readme = project / "README.md"
    readme.write_text(f"{readme.read_text(encoding='utf-8')}\nMine is the last line.\n", encoding="utf-8")
    commit(run, project, "Edit")
    change_contract(project, lambda contract: contract.update({"description": "Greets people."}))

    status, output = update(project, "--to", "v2.0.0")

    assert status == 3, output
    conflicting = [line[3:] for line in git(run, project, "status", "--porcelain").splitlines() if line[:2] == "UU"]
    assert sorted(conflicting) == sorted(["README.md", f"{NODE}/contract.yaml"])


def test_what_happens_to_the_output_does_not_undo_what_is_done(
    run: Run, project: Path, update: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    change_contract(project, set_port)
    (project / "build").mkdir(exist_ok=True)
    assert update(project, f"--json={tmp_path}")[0] == 1
    assert "8123" not in (project / NODE / "settings.py").read_text(encoding="utf-8")

    command = f'{sys.executable} -m extensions.updating.command "$0" --json /dev/full > /dev/full'
    result = run("sh", "-c", command, project, cwd=ROOT)

    assert result.returncode == 0, result.stderr
    assert "The update is done, and the report is not written" in result.stderr
    assert "Traceback" not in result.stderr
    assert "8123" in (project / NODE / "settings.py").read_text(encoding="utf-8")


def test_template_that_has_moved(
    run: Run, project: Path, template: Path, tmp_path: Path, update: Callable[..., tuple[int, str]]
) -> None:
    gone = tmp_path / "gone"
    edit(project / ".copier-answers.yml", str(template), str(gone))
    commit(run, project, "Elsewhere")
    before = contents(project)

    for arguments in ((), ("--trust",)):
        status, output = update(project, *arguments)
        assert status == 1
        assert f"names the template {gone}, and there is none" in output
        assert "update-node --source PLACE" in output
    assert contents(project) == before

    status, output = update(project, "--source", template, COPIER_SETTINGS_PATH=os.devnull)

    assert status == 0, output
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_src_path"] == str(template)
    assert git(run, project, "status", "--porcelain") == " M .copier-answers.yml\n"


@pytest.fixture
def hostile(run: Run, project: Path, tmp_path: Path) -> Path:
    """A template that nobody trusts, and that the project names; the file that it makes when it runs."""
    template = tmp_path / "hostile"
    template.mkdir()
    ran = tmp_path / "ran"
    settings = {"_tasks": [f"touch {ran}"], "_migrations": [f"touch {ran}"]}
    (template / "copier.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (template / "{{ _copier_conf.answers_file }}.jinja").write_text("{{ _copier_answers | to_nice_yaml }}", "utf-8")
    git(run, template, "init", "--quiet")
    commit(run, template, "Hostile")
    git(run, template, "tag", "v1.0.0")
    answers = project / ".copier-answers.yml"
    values = yaml.safe_load(answers.read_text(encoding="utf-8"))
    values |= {"_src_path": str(template), "_commit": "v1.0.0"}
    answers.write_text(yaml.safe_dump(values), encoding="utf-8")
    commit(run, project, "A pull request of two lines")
    return ran


def test_template_that_nobody_trusts_is_not_run(
    run: Run, project: Path, hostile: Path, update: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    settings = tmp_path / "settings.yml"
    settings.write_text("{}\n", encoding="utf-8")
    untrusting = {"COPIER_SETTINGS_PATH": str(settings)}
    before = contents(project)

    for arguments in ((), ("--dry-run",), ("--to", "latest"), ("--to", "HEAD")):
        status, output = update(project, *arguments, **untrusting)
        assert status == 1, output
        assert f"named by the project: {hostile.with_name('hostile')}" in output
        assert f"installed here:       {ROOT}" in output
    fleet = "from extensions.updating.command import main_fleet; raise SystemExit(main_fleet())"
    result = run(sys.executable, "-c", fleet, project, cwd=ROOT, **untrusting)
    assert result.returncode == 1
    assert "nobody has said to trust" in result.stdout
    plain = run("make", "regenerate", cwd=project, UPDATE_NODE="no-such-command", **untrusting)
    assert plain.returncode != 0
    assert "trust" in plain.stderr

    assert contents(project) == before
    assert not hostile.exists()
    update(project, "--trust", **untrusting)
    assert hostile.exists(), "the template does something when it runs"


@pytest.mark.parametrize("name", ["../../outside", ".git/config", "link/config"])
def test_manifest_that_leaves_its_folder(
    run: Run, project: Path, update: Callable[..., tuple[int, str]], name: str
) -> None:
    manifest = json.loads((project / ".onex-manifest.json").read_text(encoding="utf-8"))
    manifest["files"][name] = {"owner": "yours"}
    (project / ".onex-manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    if name.startswith("link"):
        (project / "link").symlink_to(".git")
    commit(run, project, "Another name")
    before = contents(project)
    config = (project / ".git" / "config").read_bytes()

    results = [update(project), update(project, "--dry-run")]
    validated = run(sys.executable, "-m", "extensions.validation.command", project, cwd=ROOT)
    results.append((validated.returncode, validated.stderr))
    if name == ".git/config":
        plain = run("copier", "update", "--trust", "--defaults", "--vcs-ref", "v2.0.0", cwd=project)
        results.append((plain.returncode, plain.stderr))

    for status, output in results:
        assert status == 1, output
        assert ".onex-manifest.json names files" in output
        assert "Traceback" not in output
    assert contents(project) == before
    assert (project / ".git" / "config").read_bytes() == config


def test_mistakes_are_one_message(run: Run, project: Path, update: Callable[..., tuple[int, str]]) -> None:
    committed = contents(project)
    bomb = ["a0: &a0 {k: v}"] + [f"a{n}: &a{n} {{<<: [*a{n - 1}{f', *a{n - 1}' * 8}], k{n}: v}}" for n in range(1, 24)]
    cases = [
        ("node.yaml", "name: [\n", r"node.yaml:"),
        (".copier-answers.yml", "<<<<<<< ours\n_commit: a\n=======\n", ".copier-answers.yml can't be read"),
        (".copier-answers.yml", "\n".join(bomb), "a document without bounds"),
        (".copier-answers.yml", f"a: {'[' * 100_000}\n", "endless nesting"),
    ]
    for name, text, expected in cases:
        (project / name).write_text(text, encoding="utf-8")
        status, output = update(project)
        assert status == 1
        assert expected in output
        assert "Traceback" not in output
        (project / name).write_bytes(committed[name])
    (project / "node.yaml").unlink()
    (project / "node.yaml").symlink_to(project.parent / "outside.yaml")
    (project.parent / "outside.yaml").write_bytes(committed["node.yaml"].replace(b"\n", b"\r\n"))
    commit(run, project, "A link")

    status, output = update(project)

    assert status == 1
    assert "'node.yaml' leads over the link node.yaml" in output
    assert b"\r\n" in (project.parent / "outside.yaml").read_bytes()


BY_A_PERSON = """
from greeting_nodes import words
from greeting_nodes.nodes.node_greeting_effect.handlers.custom.own import GREETING
from greeting_nodes.nodes.node_greeting_effect.models.enum_greeting_operation import EnumGreetingOperation

USED = (words.GREETING, GREETING, EnumGreetingOperation.GREET, "Greeting, greeting_nodes")
"""


def test_what_people_wrote_comes_along_when_the_node_and_its_package_are_renamed(
    run: Run, project: Path, update: Callable[..., tuple[int, str]]
) -> None:
    with (project / HANDLER).open("a", encoding="utf-8") as handler:
        handler.write(BY_A_PERSON)
    (project / HANDLER).with_name("own.py").write_text('GREETING = "Hello"\n', encoding="utf-8")
    (project / "src" / "greeting_nodes" / "words.py").write_text('GREETING = "Hi"\n', encoding="utf-8")
    edit(project / NODE / "settings.py", '"""', '"""Edited. ')
    commit(run, project, "Write")
    change_contract(project, lambda contract: contract.update({"name": "welcome", "package": "door.nodes_of_it"}))

    status, output = update(project)

    assert status == 1
    assert f"files that are called after it were edited: {NODE}/settings.py" in output
    assert git(run, project, "status", "--porcelain") == " M node.yaml\n"
    edit(project / NODE / "settings.py", '"""Edited. ', '"""')
    git(run, project, "commit", "--quiet", "--message", "Take it back", "--", f"{NODE}/settings.py")

    status, output = update(project)

    assert status == 0, output
    assert not (project / "src" / "greeting_nodes").exists()
    assert not (project / "orphans").exists()
    package = project / "src" / "door" / "nodes_of_it"
    moved = package / "nodes" / "node_welcome_effect" / "handlers" / "custom" / "handler_greet.py"
    written = moved.read_text(encoding="utf-8")
    assert "from door.nodes_of_it import words\n" in written
    assert "door.nodes_of_it.nodes.node_welcome_effect.handlers.custom.own import GREETING\n" in written
    assert 'USED = (words.GREETING, GREETING, EnumWelcomeOperation.GREET, "Greeting, greeting_nodes")' in written
    assert f"{HANDLER} is {moved.relative_to(project).as_posix()} now" in output
    tests = run(sys.executable, "-m", "pytest", "-q", "tests/custom", "tests/unit/test_node.py", cwd=project)
    assert tests.returncode == 0, tests.stdout
    assert run("make", "drift", cwd=project).returncode == 0
