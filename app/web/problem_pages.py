"""`/problems`: the pages that a problem's `type` refers to, with the cause and the remedy."""

from html import escape
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse, Response

from app.errors import NotFound
from app.web.accept import JSON, accepted_by, preferred
from app.web.catalogue import CATALOGUE, ProblemKind
from app.web.openapi import problems
from app.web.paging import Page
from app.web.wire import WireOut

TAG = {
    "name": "problems",
    "description": "What each `type` of a problem (RFC 9457) means, why it happens and what to do about it.",
}
_HTML = "text/html"
_A_DAY = "public, max-age=86400"

router = APIRouter(prefix="/problems", tags=[TAG["name"]])


Slug = Annotated[str, Path(max_length=100, description="The problem's stable name.")]


class ProblemKindOut(WireOut):
    """One kind of problem."""

    type: str
    """The problem's `type`, a reference to this explanation."""
    slug: str
    """Its stable name."""
    status: int
    """The HTTP status with which it comes."""
    title: str
    """The problem's title in English."""
    title_id: str
    """The problem's title in Indonesian."""
    cause: str
    """Why it happens."""
    remedy: str
    """What the caller can do."""

    @classmethod
    def of(cls, kind: ProblemKind) -> "ProblemKindOut":
        """Convert a kind of problem to the API's model."""
        return cls(
            type=kind.type,
            slug=kind.slug,
            status=kind.status,
            title=kind.title,
            title_id=kind.title_id,
            cause=kind.cause,
            remedy=kind.remedy,
        )


@router.get(
    "", summary="List the kinds of problems", response_description="Every kind of problem, on one page."
)
async def list_problems(response: Response) -> Page[ProblemKindOut]:
    """List every problem that this service can answer with, ordered by status and slug."""
    response.headers["cache-control"] = _A_DAY
    kinds = sorted(CATALOGUE.values(), key=lambda kind: (kind.status, kind.slug))
    return Page(items=[ProblemKindOut.of(kind) for kind in kinds], next_cursor=None)


@router.get(
    "/{slug}",
    summary="Explain one kind of problem",
    response_model=ProblemKindOut,
    response_description="The kind of problem: its cause and its remedy.",
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **problems("not-found")},
)
async def read_problem(slug: Slug, request: Request) -> Response:
    """Read cause and remedy of the kind of problem that a `type` names, as JSON; a browser gets a small page.

    Raises:
        NotFound: there is no such kind.
    """
    kind = CATALOGUE.get(slug)
    if kind is None:
        raise NotFound("There is no kind of problem with this name.")
    headers = {"cache-control": _A_DAY, "vary": "accept"}
    if preferred(accepted_by(request.scope["headers"]), (JSON, _HTML)) == _HTML:
        return HTMLResponse(_page(kind), headers=headers)
    body = msgspec.json.encode(ProblemKindOut.of(kind).model_dump())
    return Response(body, headers=headers, media_type="application/json")


def _page(kind: ProblemKind) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(kind.title)}</title>'
        f'<h1>{escape(kind.title)}</h1><p lang="id"><strong>{escape(kind.title_id)}</strong></p>'
        f"<p>{escape(kind.type)}, HTTP status {kind.status}</p>"
        f"<h2>Cause</h2><p>{escape(kind.cause)}</p><h2>Remedy</h2><p>{escape(kind.remedy)}</p></html>"
    )
