"""Structured logs on the standard library's logging: one line a record, nothing personal in it.

Three nets hold personal data back: values under a telling key are dropped, text that looks like a key of
ours, a NIK or a machine-readable zone is blacked out wherever it stands, and the messages of exceptions
(which like to quote the value that broke) are written at level DEBUG only.
"""

import logging
import re
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple, TextIO

import msgspec

REDACTED = "[redacted]"


class Correlation(NamedTuple):
    """What ties the lines of one request, or of one job of the worker, together.

    Attributes:
        request_id: `X-Request-Id`, the caller's or ours.
        trace_id: 32 hex digits of the W3C `traceparent`.
    """

    request_id: str
    trace_id: str


correlation: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def current_request_id() -> str | None:
    """The id of the request being answered, or None outside any request."""
    now = correlation.get()
    return now.request_id if now else None


# fmt: off
_TELLING_KEYS = frozenset((
    "address", "alias", "aliases", "attachment", "authorization", "bearer", "birth", "birth_date",
    "birth_place", "body", "case_reference", "cookie", "credential", "credentials", "data", "date_of_birth",
    "document", "documents", "full_name", "key", "keys", "mrz", "name", "names", "nik", "note", "number",
    "occupation", "passport", "password", "pepper", "person", "phone", "photo", "reason", "salt", "secret",
    "set_cookie", "subject", "token", "traveller",
))
# fmt: on
_TELLING_ENDINGS = ("_key", "_name", "_number", "_password", "_secret", "_token")

# Every alternative begins with a plain character, so that the engine skips to candidates: half the time.
_SUSPECT = re.compile(
    r"(?:cekal|whsec|whsk)_[A-Za-z0-9_.+/=\-]{6,}"
    r"|[Bb]earer\s+[^\s\"',;]+"
    r"|://[^/\s:@]+:[^/\s@]+@"
    r"|(?P<run>[A-Z0-9<]{5,})"
)
_SHORTEST_MRZ = 28
"""Runs of MRZ characters are 30, 36 or 44 long (ICAO 9303 parts 4-7); a scanner may lose one or two."""
_NIK_DIGITS = 16


def redact_text(text: str) -> str:
    """The text with all that looks like a key, a database password, a NIK or an MRZ line blacked out."""
    if text.islower() and text.isalnum():  # one word, such as an id of ours: nothing to be found in it
        return text
    return _SUSPECT.sub(_black_out, text)


def _black_out(found: re.Match[str]) -> str:
    run = found["run"]
    if run is None or len(run) >= _SHORTEST_MRZ or "<<" in run:
        return REDACTED
    if len(run) == _NIK_DIGITS and run.isdigit():
        before = found.string[max(found.start() - 2, 0) : found.start()]
        after = found.string[found.end() : found.end() + 1]
        inside_a_word = before[-1:].isalnum() or after.isalnum()
        inside_a_fraction = before[-1:] == "." and before[:1].isdigit()
        if not (inside_a_word or inside_a_fraction):
            return REDACTED
    return run


# Routes, client ids and messages come again and again; the cache makes them almost free.
_redact_short = lru_cache(maxsize=1024)(redact_text)
_SHORT = 64


@lru_cache(maxsize=512)
def _tells(key: str) -> bool:
    """Whether a value under this key is to be dropped unseen."""
    low = key.lower().replace("-", "_")
    return low in _TELLING_KEYS or low.endswith(_TELLING_ENDINGS)


def redact(value: Any, key: str = "") -> Any:
    """A value fit for a log: JSON types only, telling keys dropped at every depth, texts blacked out."""
    if value is not None and _tells(key):
        return REDACTED
    match value:
        case str():
            safe: Any = _redact_short(value) if len(value) <= _SHORT else redact_text(value)
        case None | bool() | int() | float():
            safe = value
        case bytes() | bytearray() | memoryview():
            safe = REDACTED
        case Mapping():
            safe = {redact_text(str(k)): redact(v, str(k)) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            safe = [redact(v) for v in value]
        case _:
            safe = redact_text(str(value))
    return safe


_VETTED = "_vetted"
_KNOWN_AS = "_known_as"

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Formatter(logging.Formatter):
    """Turns a record into its members, all of them fit to be written."""

    def __init__(self, *, messages: bool) -> None:
        super().__init__()
        self.messages = messages
        self._second = -1
        self._stamp = ""

    def members(self, record: logging.LogRecord) -> dict[str, Any]:
        """The record as a mapping: what every line has, then the `extra` it was given, then its exception."""
        members: dict[str, Any] = {
            "at": self._time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        now = record.__dict__.get(_KNOWN_AS) or correlation.get()
        if now is not None:
            members["request_id"] = redact_text(now.request_id)
            members["trace_id"] = now.trace_id
        vetted = record.__dict__.get(_VETTED)
        if vetted is not None:
            members.update(vetted)
        else:
            for key, value in record.__dict__.items():
                if key not in _STANDARD:
                    members[key] = redact(value, key)
        if record.exc_info:
            members["exception"] = self._exceptions(record.exc_info)
        return members

    def _time(self, created: float) -> str:
        """RFC 3339 in UTC with milliseconds; the part down to the second is made once a second."""
        second = int(created)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{int((created - second) * 1000):03d}Z"

    def _exceptions(self, info: _ExcInfo) -> list[dict[str, Any]]:
        """The exception, then what caused it: class, frames, and the message where that is wanted."""
        chain: list[dict[str, Any]] = []
        error = info[1]
        while error is not None and len(chain) < 5:  # noqa: PLR2004 - deeper chains tell nothing more
            frames = traceback.extract_tb(error.__traceback__)[-12:]
            link: dict[str, Any] = {
                "type": f"{type(error).__module__}.{type(error).__qualname__}",
                "frames": [f"{_short_path(f.filename)}:{f.lineno} {f.name}" for f in frames],
            }
            if self.messages:
                link["text"] = redact_text(str(error))
            chain.append(link)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return chain


def _short_path(filename: str) -> str:
    """A source file's path without the place where the packages are installed."""
    return filename.rpartition("site-packages/")[2]


class JsonFormatter(_Formatter):
    """One JSON object a line."""

    _encoder = msgspec.json.Encoder()

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        return self._encoder.encode(self.members(record)).decode()


class TextFormatter(_Formatter):
    """The same members for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as `time LEVEL logger message key=value …`, an exception on lines of its own."""
        members = self.members(record)
        head = " ".join(str(members.pop(key)) for key in ("at", "level", "logger", "message"))
        chain = members.pop("exception", ())
        line = " ".join([head, *(f"{key}={value}" for key, value in members.items())])
        for link in chain:
            line += "".join(
                [f"\n  {link['type']} {link.get('text', '')}", *(f"\n    {f}" for f in link["frames"])]
            )
        return line


class Line(NamedTuple):
    """One of many records that are written together.

    Attributes:
        at: when it happened, in seconds since 1970.
        known_as: the request it is about.
        members: its members, known to hold nothing personal: they are not looked through again.
    """

    at: float
    known_as: Correlation
    members: dict[str, Any]


def write_lines(logger: logging.Logger, message: str, lines: Iterable[Line]) -> None:
    """Write records of level INFO with one message, without the cost of finding who calls."""
    if not logger.isEnabledFor(logging.INFO):
        return
    for line in lines:
        record = logging.LogRecord(logger.name, logging.INFO, "", 0, message, (), None)
        record.created = line.at
        record.__dict__[_VETTED] = line.members
        record.__dict__[_KNOWN_AS] = line.known_as
        logger.handle(record)


def configure(level: str = "INFO", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Send every logger of this process, uvicorn's too, through one redacting formatter.

    Start uvicorn with `log_config=None`, or it undoes this. Its access log stays off: it would write
    query strings; `web.middleware` writes a line without them.

    Args:
        level: name of the lowest level written. DEBUG also writes the messages of exceptions.
        json: JSON lines; otherwise text for a terminal.
        stream: where to; standard error when None.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((JsonFormatter if json else TextFormatter)(messages=level == "DEBUG"))
    root = logging.getLogger()
    root.setLevel(level)
    root.handlers[:] = [handler]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate, logger.disabled = True, False
        logger.setLevel(logging.NOTSET)
    logging.getLogger("uvicorn.access").disabled = True
    for chatty in ("aiosqlite", "asyncio", "httpx2", "httpcore2", "sqlalchemy.engine", "PIL"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # None of the formatters writes these, and each costs a look-up a record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
