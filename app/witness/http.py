"""A witness's HTTP interface (C2SP tlog-witness), and its public keys."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.tlog.keys import SignatureInvalid
from app.witness.domain import (
    LONGEST_BODY,
    ClockDoubted,
    HeadConflict,
    HeadRefused,
    OriginUnknown,
    SubmissionMalformed,
)
from app.witness.service import Witness, vkeys_text

SIZE_TYPE: Final = "text/x.tlog.size"
"""Media type of the answer 409, with the size of the head that was cosigned last."""

BODY_SECONDS: Final = 20.0
"""Seconds in which a body must arrive."""

_STATUS: Final[Mapping[type[Exception], int]] = {
    SubmissionMalformed: 400,
    SignatureInvalid: 403,
    OriginUnknown: 404,
    HeadRefused: 422,
}
"""Statuses of refusals (C2SP tlog-witness, "add-checkpoint")."""

_RETRY: Final = {"Retry-After": "30"}

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Service:
    """Answers the HTTP requests of one witness. A single thread calls the witness, one request after the other.

    Args:
        witness: the witness.
        reload: function that reads the policy file again and gives it to the witness; it is called in that thread.
    """

    def __init__(self, witness: Witness, reload: Callable[[], None]) -> None:
        self._witness = witness
        self._reload = reload
        self._thread = ThreadPoolExecutor(1, "witness")

    async def reload(self) -> None:
        """Read the policy again: call the function `reload` in the witness's thread, and wait for it."""
        await self._in_turn(self._reload)

    def close(self) -> None:
        """Stop the witness's thread and wait for its end; its present call is finished, waiting calls are cancelled."""
        self._thread.shutdown(cancel_futures=True)

    async def add_checkpoint(self, request: Request) -> Response:
        """Answer `POST /add-checkpoint` with the witness's cosignatures, or with an error status and the reason.

        The statuses: 400, the body is malformed; 403, a signature is missing or wrong; 404, the log is unknown; 409,
        the proof does not begin at the head that was cosigned last, or the head has the same size and another root;
        422, the proof is wrong; 503, the clock is in doubt or the head can't be stored. With 409 the answer's body is
        the size of the head that was cosigned last.

        Raises:
            HTTPException: the body is too large or too slow, or was cut off.
        """
        body = await _body_of(request)
        try:
            return PlainTextResponse(await self._in_turn(lambda: self._witness.add_checkpoint(body)))
        except (SubmissionMalformed, SignatureInvalid, OriginUnknown, HeadRefused) as error:
            return _said(_STATUS[type(error)], str(error))
        except HeadConflict as error:
            return Response(f"{error.size}\n", 409, {"Content-Type": SIZE_TYPE})
        except ClockDoubted as error:
            logger.error("nothing is cosigned: %s", error)  # noqa: TRY400 - a clock has no traceback
            return _said(503, str(error), _RETRY)
        except sqlite3.Error:
            logger.exception("a head can't be stored")
            return _said(503, "the head can't be stored", _RETRY)

    async def checkpoint(self, request: Request) -> Response:
        """Answer `GET /<origin hash>/checkpoint` with the log's head that was cosigned last.

        The status is 404 if the witness has cosigned no head of a log with this hash.
        """
        hashed = request.path_params["origin_hash"]
        note = await self._in_turn(lambda: self._witness.latest(hashed))
        if note is None:
            return _said(404, "this witness has cosigned no checkpoint of such a log")
        return PlainTextResponse(str(note), headers={"Cache-Control": "no-cache"})

    async def vkeys(self, _request: Request) -> Response:
        """Answer `GET /vkeys`: the witness's public keys, one a line."""
        return PlainTextResponse(vkeys_text(self._witness.identity))

    async def healthz(self, _request: Request) -> Response:
        """Answer `GET /healthz` with 200; with 503 and a reason if the clock is in doubt or the file can't be read."""
        try:
            doubt = await self._in_turn(self._witness.doubt)
        except sqlite3.Error:
            logger.exception("the witness's file can't be read")
            return _said(503, "the witness's file can't be read")
        return _said(200, "ok") if doubt is None else _said(503, doubt)

    async def _in_turn(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)


def create_witness_app(service: Service, begin: Callable[[], None]) -> Starlette:
    """Return the ASGI application of a witness; at its end it closes `service`.

    Args:
        service: answers the requests.
        begin: function that is called on the event loop when the application starts.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        begin()
        yield
        service.close()

    return Starlette(
        lifespan=lifespan,
        routes=[
            Route("/add-checkpoint", service.add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", service.checkpoint),
            Route("/vkeys", service.vkeys),
            Route("/healthz", service.healthz),
        ],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )


async def _body_of(request: Request) -> bytes:
    """Return a body within the limits of size and time.

    Raises:
        HTTPException: it is too large or too slow.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LONGEST_BODY:
                    raise HTTPException(413, f"a body has at most {LONGEST_BODY} bytes", _CLOSE)
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {BODY_SECONDS:g} s", _CLOSE) from None
    except ClientDisconnect:
        raise HTTPException(400, "the body was cut") from None
    return bytes(body)


_CLOSE: Final = {"Connection": "close"}


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _said(error.status_code, error.detail, error.headers)


async def _failed(_request: Request, _error: Exception) -> Response:
    return _said(500, "the witness failed; its log says why")


def _said(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{words}\n", status, headers)
