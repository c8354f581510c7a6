"""The document of the interface, and the page that shows it."""

import re
from pathlib import Path

import httpx
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
