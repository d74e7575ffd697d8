"""Examples of the feed's lines and events, for the OpenAPI document."""

from typing import Any, Final

from app.web.openapi_examples import NULL

RECORD: Final[dict[str, Any]] = {
    "sequence": 7,
    "type": "entry.ended",
    "at": "2026-11-23T03:00:00.000000Z",
    "effective_at": NULL,
    "entry_id": "ent_01jd9k4z",
    "version": 4,
    "tombstone": True,
    "leaf": {
        "agency": "KPK",
        "at": "2026-11-23T03:00:00.000000Z",
        "commitment": "9b1c0f6d5e2a47b88c3f90d1e6a2b7c4d5f8091a2b3c4d5e6f708192a3b4c5d6",
        "effective_at": NULL,
        "entry_id": "ent_01jd9k4z",
        "sequence": 7,
        "tombstone": True,
        "type": "entry.ended",
        "v": 1,
        "version": 4,
    },
    "personal": NULL,
    "salt": NULL,
    "withheld": "scope",
}
_CURSOR: Final = "5f2b7c0e9d1a4b3c.7"
_HEARTBEAT: Final = {"head": 7, "at": "2026-11-23T03:00:05.000000Z", "degraded": False}

LINES: Final[dict[str, Any]] = {
    "record": {"summary": "A record on its line", "value": RECORD},
    "last": {"summary": "The last line", "value": {"cursor": _CURSOR, "head": 7, "more": False}},
}

EVENTS: Final[dict[str, Any]] = {
    "change": {
        "summary": "A record",
        "value": {"event": "change", "id": _CURSOR, "data": RECORD},
    },
    "heartbeat": {
        "summary": "A sign of life",
        "value": {"event": "heartbeat", "id": _CURSOR, "data": _HEARTBEAT},
    },
}
