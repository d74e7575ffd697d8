"""`/docs`: interactive API documentation, served entirely from local files, because a register's network is closed.

Swagger UI's files come from a package. The page contains no inline script, so that its Content-Security-Policy can
allow this service alone.
"""

import asyncio
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.errors import NotFound
from app.web.etag import etag_of_bytes
from app.web.parts import Conditions

router = APIRouter(include_in_schema=False)

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: images from `data:` URLs, and everything else from this service alone."""

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


@router.get("/")
async def lead_to_docs() -> Response:
    """Redirect the service's root address to the page `/docs`."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def read_docs() -> Response:
    """Serve the page `/docs`."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": POLICY})


@router.get("/docs/{name}")
async def read_docs_file(name: str, request: Request) -> Response:
    """Serve one of the files of the page `/docs`, or their licence; 404 for another name."""
    if name == "start.js":
        return _kept(request, _START.encode(), "text/javascript")
    if name not in _SHIPPED:
        raise NotFound("There is no such file.")
    file = files("fastapi_standalone_docs").joinpath("static", "swagger", name)
    return _kept(request, await asyncio.to_thread(file.read_bytes), _SHIPPED[name])


def _kept(request: Request, body: bytes, media_type: str) -> Response:
    return Conditions.of(request).answer(body, media_type, etag_of_bytes(1, body), _AN_HOUR)
