"""Structured logs on the standard library's logging: one line per record, without personal data.

Three rules keep personal data out: values under a sensitive key (such as `name`) are dropped; text that looks like
an access key, a NIK or a machine-readable zone is redacted everywhere; and the messages of exceptions, which often
quote the faulty value, are written at level DEBUG only.
"""

import logging
import re
import sys
import time
import traceback
from collections import deque
from collections.abc import Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple, TextIO

import msgspec

from app.kit.redaction import redact, redact_text


class Correlation(NamedTuple):
    """The ids that all log lines of one request, or of one job of the worker, have in common.

    Attributes:
        request_id: `X-Request-Id`, from the caller or generated here.
        trace_id: 32 hex digits of the W3C `traceparent`.
    """

    request_id: str
    trace_id: str


class Line(NamedTuple):
    """One of many log records that are written together.

    Attributes:
        at: the time of the event that it describes, in seconds since 1970.
        request_ids: ids of the request that it is about.
        members: its further members, by name. They must not contain personal data, because they are not redacted.
    """

    at: float
    request_ids: Correlation
    members: dict[str, Any]


correlation: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def current_request_id() -> str | None:
    """Return the id of the current request, or None outside a request."""
    now = correlation.get()
    return now.request_id if now else None


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_encode = msgspec.json.Encoder().encode


_QUOTED = re.compile(r"\nDETAIL:.*|(invalid input for query argument \$\d+):.*", re.DOTALL)
"""The part of an error message in which PostgreSQL or asyncpg quotes a row or a statement's parameter."""


class Formatter(logging.Formatter):
    """A formatter that writes a record, redacted: the common members, the members of its `extra`, and its exception.

    Args:
        json: whether to write one line with a JSON object; otherwise `time LEVEL logger message key=value …`, and the
            exception on further lines.
        messages: whether to write the messages of exceptions too.
    """

    def __init__(self, *, json: bool = True, messages: bool = False) -> None:
        super().__init__()
        self._render = _as_json if json else _as_text
        self._messages = messages
        self._second = -1
        self._stamp = ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, without the last line end."""
        message = redact(record.getMessage())
        members = self._head(record.created, record.levelname, record.name, message, correlation.get())
        for key, value in record.__dict__.items():
            if key not in _STANDARD:
                members[key] = redact(value, key)
        if record.exc_info:
            members["exception"] = self._exceptions(record.exc_info)
        return self._render(members)

    def format_line(self, logger: str, message: str, line: Line) -> str:
        """Return a line of level INFO from the logger of this name, in the form of `format`.

        The line's members are not redacted.
        """
        members = self._head(line.at, "INFO", logger, message, line.request_ids)
        members.update(line.members)
        return self._render(members)

    def _head(
        self, at: float, level: str, logger: str, message: str, request_ids: Correlation | None
    ) -> dict[str, Any]:
        members = {"at": self._time(at), "level": level, "logger": logger, "message": message}
        if request_ids is not None:
            members["request_id"] = redact_text(request_ids.request_id)
            members["trace_id"] = request_ids.trace_id
        return members

    def _time(self, at: float) -> str:
        """Format a time as RFC 3339 in UTC with milliseconds; the text of the current second is cached."""
        second = int(at)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{int((at - second) * 1000):03d}Z"

    def _exceptions(self, info: _ExcInfo) -> list[dict[str, Any]]:
        """Describe an exception, its causes and a group's errors: class, frames, and the message where enabled."""
        chain: list[dict[str, Any]] = []
        left = deque([info[1]])
        while left and len(chain) < 5:  # noqa: PLR2004 - deeper causes add no information
            if (error := left.popleft()) is None:
                continue
            frames = traceback.extract_tb(error.__traceback__)[-12:]
            link: dict[str, Any] = {
                "type": f"{type(error).__module__}.{type(error).__qualname__}",
                "frames": [f"{_short_path(f.filename)}:{f.lineno} {f.name}" for f in frames],
            }
            if self._messages:
                link["text"] = redact_text(_QUOTED.sub(r"\1", str(error)))
            chain.append(link)
            if isinstance(error, BaseExceptionGroup):
                left.extend(error.exceptions)
            left.append(error.__cause__ or (None if error.__suppress_context__ else error.__context__))
        return chain


def _short_path(filename: str) -> str:
    """Return a source file's path without the directory of the installed packages."""
    return filename.rpartition("site-packages/")[2]


def _as_json(members: dict[str, Any]) -> str:
    return _encode(members).decode()


def _as_text(members: dict[str, Any]) -> str:
    """Render the members as text for a terminal, with an exception on separate lines."""
    head = " ".join(str(members.pop(key)) for key in ("at", "level", "logger", "message"))
    chain = members.pop("exception", ())
    line = " ".join([head, *(f"{key}={value}" for key, value in members.items())]).replace("\n", "\\n")
    for link in chain:
        line += "".join(
            [f"\n  {link['type']} {link.get('text', '')}", *(f"\n    {f}" for f in link["frames"])]
        )
    return line


class LineHandler(logging.StreamHandler[TextIO]):
    """A handler that writes records to a stream, one by one or many with one call."""

    def __init__(self, stream: TextIO, formatter: Formatter) -> None:
        super().__init__(stream)
        self._lines = formatter
        self.setFormatter(formatter)

    def emit_lines(self, logger: str, message: str, lines: Sequence[Line]) -> None:
        """Write many lines of level INFO, with the same logger and message, in one write to the stream."""
        text = "".join([self._lines.format_line(logger, message, line) + "\n" for line in lines])
        self.acquire()
        try:
            self.stream.write(text)
            self.flush()
        finally:
            self.release()


def write_lines(logger: str, message: str, lines: Sequence[Line]) -> None:
    """Write many records of level INFO with one message, far cheaper than one by one.

    The records go to the handlers of the root logger only; handlers of intermediate loggers are skipped.
    """
    named = logging.getLogger(logger)
    if not named.isEnabledFor(logging.INFO):
        return
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LineHandler):
            handler.emit_lines(logger, message, lines)
            continue
        for line in lines:
            record = named.makeRecord(logger, logging.INFO, "", 0, message, (), None, extra=line.members)
            record.created = line.at
            token = correlation.set(line.request_ids)
            handler.handle(record)
            correlation.reset(token)


def configure(level: str = "INFO", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Send every logger of this process, uvicorn's too, through one redacting formatter.

    Start uvicorn with `log_config=None`, or it replaces this configuration. Its access log stays off: it would write
    query strings; `web.access_log` writes lines without them.

    Args:
        level: name of the lowest level written. DEBUG also writes the messages of exceptions.
        json: whether to write JSON lines; otherwise text for a terminal.
        stream: the output; None for standard error.

    Raises:
        ValueError: the level is unknown.
    """
    handler = LineHandler(stream or sys.stderr, Formatter(json=json, messages=level == "DEBUG"))
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers[:] = [handler]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate, logger.disabled = True, False
        logger.setLevel(logging.NOTSET)
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # `db.outages` logs each outage once
    for chatty in ("asyncio", "httpx2", "httpcore2", "sqlalchemy.engine", "PIL"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # No formatter writes these, and each costs one look-up per record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
