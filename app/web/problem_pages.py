"""`/problems`: where a problem's `type` leads: what went wrong, why, and what to do about it."""

from html import escape
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header
from starlette.responses import HTMLResponse, Response

from app.errors import NotFound
from app.web.catalogue import CATALOGUE, ProblemKind
from app.web.openapi import problems
from app.web.paging import Page
from app.web.wire import WireOut

TAG = {
    "name": "problems",
    "description": "What each `type` of a problem (RFC 9457) means, why it happens and what to do about it.",
}
_A_DAY = "public, max-age=86400"

router = APIRouter(prefix="/problems", tags=[TAG["name"]])


class ProblemKindOut(WireOut):
    """One kind of problem."""

    type: str
    slug: str
    status: int
    title: str
    title_id: str
    cause: str
    remedy: str

    @classmethod
    def of(cls, kind: ProblemKind) -> "ProblemKindOut":
        """The wire's form of a kind."""
        return cls(
            type=kind.type,
            slug=kind.slug,
            status=kind.status,
            title=kind.title,
            title_id=kind.title_id,
            cause=kind.cause,
            remedy=kind.remedy,
        )


@router.get("", summary="List the kinds of problems")
async def list_problems(response: Response) -> Page[ProblemKindOut]:
    """Every problem that this service can answer with, ordered by status and slug."""
    response.headers["cache-control"] = _A_DAY
    kinds = sorted(CATALOGUE.values(), key=lambda kind: (kind.status, kind.slug))
    return Page(items=[ProblemKindOut.of(kind) for kind in kinds], next_cursor=None)


@router.get(
    "/{slug}",
    summary="Explain one kind of problem",
    response_model=ProblemKindOut,
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **problems("not-found")},
)
async def read_problem(slug: str, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
    """Cause and remedy of the kind of problem that a `type` names; for a browser as a small page."""
    kind = CATALOGUE.get(slug)
    if kind is None:
        raise NotFound("There is no kind of problem with this name.")
    headers = {"cache-control": _A_DAY, "vary": "accept"}
    if "text/html" in accept:
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
