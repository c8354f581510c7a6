"""The document of the interface, and the page that shows it."""

import re
from importlib.machinery import ModuleSpec
from pathlib import Path

import httpx
import pytest
from onex_node_runtime.serving.documents import document_routes
from onex_node_runtime.serving.page import page_routes
from starlette.applications import Starlette


async def test_the_document_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.1"}', encoding="utf-8")
    app = Starlette(routes=document_routes(tmp_path, "openapi.json"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"openapi": "3.1.1"}


async def test_the_page_loads_nothing_of_elsewhere() -> None:
    app = Starlette(routes=page_routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        page = await client.get("/docs")
        wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert wanted
        for path in wanted:
            asset = await client.get(f"/{path}")
            assert asset.status_code == 200
            assert asset.content
            assert asset.headers["x-content-type-options"] == "nosniff"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert "http" not in re.sub(r'(?:src|href)="[^"]+"', "", page.text).replace("<!doctype html>", "").replace(
        "text/html", ""
    )


async def test_what_the_page_loads_is_of_its_kind() -> None:
    app = Starlette(routes=page_routes())
    found = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        for path in (
            "docs",
            "docs/start.js",
            "docs/favicon-32x32.png",
            "docs/swagger-ui.css",
            "docs/swagger-ui-bundle.js",
        ):
            answer = await client.get(f"/{path}")
            found[path] = answer.headers["content-type"].partition(";")[0]
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';")
            assert policy.endswith("frame-ancestors 'none'")
        started = (await client.get("/docs/start.js")).text
        page = (await client.get("/docs")).text
    assert found == {
        "docs": "text/html",
        "docs/start.js": "text/javascript",
        "docs/favicon-32x32.png": "image/png",
        "docs/swagger-ui.css": "text/css",
        "docs/swagger-ui-bundle.js": "text/javascript",
    }
    assert 'url: "openapi.json", dom_id: "#swagger-ui"' in started
    assert '<div id="swagger-ui">' in page


def test_a_page_whose_files_are_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (None, ModuleSpec("swagger_ui", None)):
        asked: list[str] = []

        def find(name: str, found: ModuleSpec | None = found, asked: list[str] = asked) -> ModuleSpec | None:
            asked.append(name)
            return found

        monkeypatch.setattr("onex_node_runtime.serving.page.find_spec", find)
        with pytest.raises(RuntimeError) as caught:
            page_routes()
        assert str(caught.value) == "The distribution swagger-ui-py, which has the page's files, is not installed."
        assert asked == ["swagger_ui"]
