# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""The page on which people read the document of the interface and call operations; nothing in it is of elsewhere."""

from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """\
SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
"""
_ASSETS = ("favicon-32x32.png", "swagger-ui.css", "swagger-ui-bundle.js")
# The page's own files and the service are all that it may load and call.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


def page_routes() -> list[Route]:
    """Return the routes of `GET /docs` and of what the page loads, all of it installed with the node."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE, headers=_HEADERS)

    async def start(_request: Request) -> Response:
        return Response(_START, media_type="text/javascript", headers=_HEADERS)

    return [Route("/docs", page), Route("/docs/start.js", start), *map(_asset_route, _ASSETS)]


def _asset_route(name: str) -> Route:
    path = _assets() / name

    async def asset(_request: Request) -> Response:
        return FileResponse(path, headers=_HEADERS)

    return Route(f"/docs/{name}", asset)


def _assets() -> Path:
    # The package itself, which brings the page to web frameworks, is not imported.
    found = find_spec("swagger_ui")
    if found is None or not found.submodule_search_locations:
        message = "The distribution swagger-ui-py, which has the page's files, is not installed."
        raise RuntimeError(message)
    return Path(found.submodule_search_locations[0]) / "static"
