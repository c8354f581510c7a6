"""Fixtures that every test of the template may use."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest
import yaml
from hypothesis import HealthCheck, settings

from examples.rendering import ROOT, export_template, generate, read_contract
from tests.contracts.render import Renderer
from tests.contracts.tools import PLUGINS

# How long it takes to draw says how busy the machine is, and nothing about what is tested.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


class Generate(Protocol):
    """Generates a project from a contract or from the file that holds one."""

    def __call__(self, contract: Mapping[str, object] | Path, destination: Path) -> Path: ...


class Run(Protocol):
    """Runs a command, with the tools of this repository first on PATH."""

    def __call__(
        self, *command: str | Path, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def generate_project(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Generate:
    """Generates each contract once: what is handed out is a copy, which a test may change."""
    generated = tmp_path_factory.mktemp("generated")

    def call(contract: Mapping[str, object] | Path, destination: Path) -> Path:
        data = read_contract(contract) if isinstance(contract, Path) else contract
        pristine = generated / hashlib.sha256(json.dumps(data, default=repr).encode()).hexdigest()
        if not pristine.exists():
            generate(template, data, pristine)
        return shutil.copytree(pristine, destination)

    return call


@pytest.fixture(scope="session")
def renderer(template: Path) -> Renderer:
    """Renders the template in this process, for tests of what files say."""
    return Renderer(template)


@pytest.fixture(scope="session", autouse=True)
def tools_of_projects(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What makes tools quick that are started in projects."""
    settings = {
        # What mypy knows of libraries is the same for all projects.
        "MYPY_CACHE_DIR": str(tmp_path_factory.mktemp("mypy")),
        **PLUGINS,
    }
    os.environ.update(settings)
    return settings


@pytest.fixture(scope="session", autouse=True)
def trusted_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copier's settings, in which the templates that tests make are trusted."""
    settings = tmp_path_factory.mktemp("copier") / "settings.yml"
    settings.write_text(yaml.safe_dump({"trust": [f"{tmp_path_factory.getbasetemp()}/"]}), encoding="utf-8")
    os.environ["COPIER_SETTINGS_PATH"] = str(settings)
    return settings


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, trusted_templates: Path, tools_of_projects: Mapping[str, str]) -> Run:
    # Git settings of the machine must not decide what a test sees, and coverage belongs to this process alone.
    foreign = ("COV_CORE", "COVERAGE_", "GIT_", "MAKE", "MFLAGS", "PYTEST_", "DATABASE_URL")
    base = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    config = tmp_path_factory.mktemp("git") / "config"
    config.write_text("[user]\nname = Test\nemail = test@example.org\n[init]\ndefaultBranch = main\n")
    base |= {
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "COPIER_SETTINGS_PATH": str(trusted_templates),
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CONFIG_SYSTEM": os.devnull,
        **tools_of_projects,
    }

    def call(*command: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=base | environment,
            text=True,
            check=False,
            capture_output=True,
        )

    return call
