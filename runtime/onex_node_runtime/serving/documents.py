# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The documents of the service's interface, for tools."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def document_routes(folder: Path, *names: str) -> list[Route]:
    """Return the routes of documents, such as `GET /openapi.json` for a file of that name.

    Args:
        folder: Where they are.
        names: The files, JSON, which are read now.
    """
    return [_route(folder / name) for name in names]


def _route(path: Path) -> Route:
    content = path.read_bytes()

    async def shown(_request: Request) -> Response:
        return Response(content, media_type="application/json")

    return Route(f"/{path.name}", shown)
