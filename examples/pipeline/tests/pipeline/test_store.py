"""The store: artifacts in files below one folder, figures in PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from omnibase_core.errors import ModelOnexError

from omninode_codegen.nodes.node_codegen_store_effect.handler import HandlerCodegenStoreEffect
from omninode_codegen.nodes.node_codegen_store_effect.models.model_codegen_store_request import (
    ModelCodegenStoreRequest,
)
from omninode_codegen.nodes.node_codegen_store_effect.settings import ModelCodegenStoreSettings
from tests.nodes.node_codegen_store_effect.servers import postgres_url

pytestmark = pytest.mark.integration
WINDOW = {"node_kind": "effect", "window_start": "2026-01-31T12:00:00Z", "total": 3, "failures": 1}


class Store:
    """A store below a folder of its own."""

    def __init__(self, url: str, root: Path) -> None:
        settings = {"database_url": url, "codegen_artifacts_root": str(root), "files_max_bytes": 1000}
        self.handler = HandlerCodegenStoreEffect(None, ModelCodegenStoreSettings.model_validate(settings))

    async def call(self, operation: str, **payload: object) -> dict[str, Any]:
        request = ModelCodegenStoreRequest.model_validate({"operation": operation, "payload": payload})
        response = await self.handler.handle(request)
        found: dict[str, Any] = response.model_dump(mode="json")["result"]
        return found


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres_url() as url:
        yield url


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


@pytest_asyncio.fixture
async def store(url: str, root: Path) -> AsyncIterator[Store]:
    store = Store(url, root)
    assert await store.handler.initialize() == {}
    yield store
    await store.handler.shutdown()


async def test_an_artifact_is_written_read_and_deleted_with_the_folders_that_it_needs(store: Store, root: Path) -> None:
    stored = await store.call("store_artifact", path="nodes/a/node.py", content="ü = 1\r\n")
    assert stored == {"path": "nodes/a/node.py", "stored": True}
    assert (root / "nodes/a/node.py").read_bytes() == "ü = 1\r\n".encode()
    assert await store.call("load_artifact", path="nodes/a/node.py") == {"found": True, "content": "ü = 1\r\n"}
    assert await store.call("delete_artifact", path="nodes/a/node.py") == {"deleted": True}
    assert await store.call("delete_artifact", path="nodes/a/node.py") == {"deleted": False}
    assert (await store.call("load_artifact", path="nodes/a/node.py"))["found"] is False


@pytest.mark.parametrize("path", ["../outside.py", "/outside.py", "a/../../outside.py", "nul\0.py"])
async def test_nothing_is_written_outside_of_the_folder(store: Store, root: Path, path: str) -> None:
    with pytest.raises(ModelOnexError):
        await store.call("store_artifact", path=path, content="x")
    assert list(root.parent.rglob("outside.py")) == []


async def test_what_is_too_large_is_refused_as_a_whole(store: Store, root: Path) -> None:
    with pytest.raises(ModelOnexError):
        await store.call("store_artifact", path="large.py", content="x" * 1001)
    assert not (root / "large.py").exists()


async def test_a_folder_that_is_in_the_way_is_an_error(store: Store, root: Path) -> None:
    (root / "taken").mkdir()
    with pytest.raises(ModelOnexError):
        await store.call("store_artifact", path="taken", content="x")


async def test_figures_of_a_window_are_kept_and_replaced(store: Store) -> None:
    assert await store.call("persist_metrics", **WINDOW) == {"stored": True}
    assert await store.call("persist_metrics", **{**WINDOW, "total": 4, "cost_usd": 0.5}) == {"stored": True}
    found = await store.call("list_metrics", since="2026-01-01T00:00:00Z")
    assert [(each["total"], each["failures"], each["cost_usd"]) for each in found["metrics"]] == [(4, 1, 0.5)]
    assert await store.call("list_metrics", since="2027-01-01T00:00:00Z") == {"metrics": []}
