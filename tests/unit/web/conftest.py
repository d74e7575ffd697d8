"""A tiny application behind the whole of `app.web`, and a client for it."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import httpx2
import pytest
from fastapi import APIRouter, FastAPI, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from app import errors
from app.web import problem_pages, problems
from app.web.etag import RequiredVersion, etag_of, not_modified
from app.web.metrics import Metrics
from app.web.middleware import BodyLimits, Edge
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_cursor

SECRET = "Sugiarto-3171014107800001"
"""A value that must never come back in an answer or in a log."""


class Exact(BaseModel):
    model_config = ConfigDict(extra="forbid")
    date: str = Field(pattern=r"^\d{4}$")


class Age(BaseModel):
    model_config = ConfigDict(extra="forbid")
    age: int
    as_of: str


class Extension(BaseModel):
    kind: Literal["extension"]
    reason: str
    extension: dict[str, int]


class Correction(BaseModel):
    kind: Literal["correction"]
    correction: dict[str, int]


class EntryIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2)
    birth: Exact | Age
    years: list[int] = []
    starts_on: str | None = None

    @field_validator("starts_on")
    @classmethod
    def _day(cls, value: str) -> str:
        raise ValueError(f"Invalid isoformat string: {value!r}")


class EntryOut(BaseModel):
    id: int


router = APIRouter(prefix="/v1", tags=["entries"])


@router.post("/entries", status_code=201, summary="Submit an entry")
async def submit_entry(body: EntryIn) -> EntryOut:
    """Submit an entry for a decision.

    Raises:
        Invalid: never told to the API's readers.
    """
    return EntryOut(id=len(body.name))


@router.get("/entries", summary="List entries")
async def list_entries(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[EntryOut]:
    after = decode_cursor(cursor, int)[0] if cursor else 0
    rows = list(range(after + 1, min(after + limit + 1, 8) + 1))
    shown, following = cut(rows, limit, lambda row: [row])
    return Page(items=[EntryOut(id=row) for row in shown], next_cursor=following)


@router.get("/entries/{entry_id}", summary="Read an entry", response_model=EntryOut)
async def read_entry(
    entry_id: Annotated[int, Path(ge=1)],
    deep: Annotated[int, Query()] = 0,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    etag = etag_of(3, deep)
    body = f'{{"id": {entry_id}}}'
    return not_modified(if_none_match, etag) or Response(body, headers={"etag": etag})


@router.put("/entries/{entry_id}", summary="Resubmit an entry")
async def resubmit_entry(entry_id: int, body: EntryIn, expected: RequiredVersion) -> EntryOut:
    if expected != 3:
        raise errors.StaleVersion("The entry is at version 3.", extra={"current": 3, "status": 200})
    return EntryOut(id=entry_id)


@router.post("/entries/{entry_id}/amendments", summary="Amend an entry")
async def amend_entry(
    entry_id: int, body: Annotated[Extension | Correction, Field(discriminator="kind")]
) -> EntryOut:
    return EntryOut(id=entry_id)


@router.get("/broken", summary="Break")
async def break_down(request: Request) -> EntryOut:
    kind = request.query_params["as"]
    match kind:
        case "busy":
            raise errors.Unavailable("At the limit.", retry_after=7)
        case "unknown":
            raise errors.Unauthenticated("No key.")
        case "faulty":
            raise errors.Invalid("Two faults.", faults=[errors.Fault("/a~1b", "wrong", "It is wrong.")] * 2)
        case "bug":
            raise LookupError(f"SELECT * FROM person WHERE name = '{SECRET}'")
        case _:
            raise HTTPException(int(kind), detail=SECRET)


async def greet(request: Request) -> Response:
    request.state.actor = type("Actor", (), {"client_id": "cli_1"})
    headers = {"cache-control": "public", "content-security-policy": "default-src 'self'"}
    return PlainTextResponse("hello", headers=headers)


async def break_off(scope: Scope, receive: Receive, send: Send) -> None:
    """Begins an answer and fails."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise LookupError(SECRET)


class BreakOff:
    """A raw ASGI endpoint."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await break_off(scope, receive, send)


async def swallow(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


def build_app(metrics: Metrics, *, body_timeout: float = 15.0) -> FastAPI:
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.include_router(router)
    app.include_router(problem_pages.router)
    app.router.routes.append(Route("/greet", greet))
    app.router.routes.append(Route("/swallow", swallow, methods=["POST"]))
    app.router.routes.append(Route("/off", BreakOff()))
    app.router.routes.append(Mount("/static", PlainTextResponse("file")))
    problems.install(app)
    app.add_middleware(
        Edge,
        metrics=metrics,
        body_limit=BodyLimits(400, {"/swallow": 1000}),
        body_timeout=body_timeout,
    )
    return app


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def app(metrics: Metrics) -> FastAPI:
    return build_app(metrics)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://register") as client:
        yield client
