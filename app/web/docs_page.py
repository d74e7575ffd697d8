"""`/docs`: the API to read and to try, from files of this service alone, since a register's network is closed.

Swagger UI's files come out of a package. The page holds no script of its own text, so that its
Content-Security-Policy may name this service and nothing else.
"""

from importlib.resources import as_file, files
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

from app.errors import NotFound

router = APIRouter(include_in_schema=False)

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Its pictures are data; it loads, and talks to, this service alone."""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cekal: the API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<noscript>Without scripts this page stays empty. The document: <a href="/v1/openapi.json">openapi.json</a></noscript>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

_START: Final = """SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
"""

_SHIPPED: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "LICENSE": "text/plain",
}
_AN_HOUR: Final = {"Cache-Control": "public, max-age=3600"}


@router.get("/docs")
async def read_docs() -> Response:
    """The page."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/{name}")
async def read_docs_file(name: str) -> Response:
    """One of the files that the page loads, or the licence that they are under."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=_AN_HOUR)
    if name not in _SHIPPED:
        raise NotFound("There is no such file.")
    folder = files("fastapi_standalone_docs").joinpath("static", "swagger")
    with as_file(folder.joinpath(name)) as path:  # a real file wherever packages are unpacked
        return FileResponse(path, media_type=_SHIPPED[name], headers=_AN_HOUR)
