"""Fixtures of the fault runs."""

from pathlib import Path

import pytest

from tests.faults.harness import Projects


@pytest.fixture(scope="session")
def projects(tmp_path_factory: pytest.TempPathFactory) -> Projects:
    return Projects(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
