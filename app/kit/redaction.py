"""Redaction of log data: values under sensitive keys, and text that looks like an access key, a NIK or an MRZ."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"

# fmt: off
_SENSITIVE_KEYS = frozenset((
    "address", "alias", "aliases", "attachment", "authorization", "bearer", "birth", "birth_date",
    "birth_place", "body", "case_reference", "cookie", "credential", "credentials", "data", "date_of_birth",
    "document", "documents", "full_name", "key", "keys", "mrz", "name", "names", "nik", "note", "number",
    "occupation", "passport", "password", "pepper", "person", "phone", "photo", "reason", "salt", "secret",
    "set_cookie", "subject", "token", "traveller",
))
# fmt: on
_SENSITIVE_ENDINGS = ("_key", "_name", "_number", "_password", "_secret", "_token")

# Every alternative begins with a literal, so that the regex engine skips to candidates; this halves the time.
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
    """Return a text with everything replaced that looks like an access key, a password in a URL, a NIK or an MRZ."""
    if text.islower() and text.isalnum():  # one word, such as an id: it cannot match
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


# Routes, client ids and messages recur; the cache makes them almost free.
_redact_short = lru_cache(maxsize=1024)(redact_text)
_SHORT = 64


@lru_cache(maxsize=512)
def _is_sensitive(key: str) -> bool:
    """Return whether a value under this key must always be redacted."""
    low = key.lower().replace("-", "_")
    return low in _SENSITIVE_KEYS or low.endswith(_SENSITIVE_ENDINGS)


def redact(value: Any, key: str = "") -> Any:
    """Return a value safe for a log: only JSON types, with sensitive values and texts redacted at every depth.

    `key` is the name of the member that holds the value. If the name is sensitive, the whole value is redacted.
    """
    if value is not None and _is_sensitive(key):
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
