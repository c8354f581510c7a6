"""A node that `import-openapi` made asks its API for nothing that the API's document does not allow."""

from pathlib import Path

import pytest

from examples.rendering import ROOT
from extensions.adopting.openapi import adopt
from scripts.imported import held

LIBRARY = ROOT / "tests" / "generation" / "library_api.yaml"


@pytest.mark.slow
def test_each_operation_is_asked_and_answered(template: Path, tmp_path: Path) -> None:
    found = held(adopt(LIBRARY), LIBRARY, template, tmp_path)

    assert found.wrong == []
    assert (found.operations, found.custom, found.answered) == (11, 0, 11)
