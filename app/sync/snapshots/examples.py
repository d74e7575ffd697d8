"""Examples of a snapshot's lines, for the OpenAPI document."""

from typing import Any, Final

from app.sync.feed import examples as feed
from app.web.openapi_examples import NULL

_DIGEST: Final = "5b1c0f6d5e2a47b88c3f90d1e6a2b7c4d5f8091a2b3c4d5e6f708192a3b4c5d6"
_LISTED: Final[dict[str, Any]] = {
    **feed.RECORD,
    "type": "entry.listed",
    "tombstone": False,
    "leaf": {**feed.RECORD["leaf"], "type": "entry.listed", "tombstone": False},
}
_SEAL: Final[dict[str, Any]] = {
    "sequence": 8,
    "type": "seal",
    "at": "2026-11-23T04:00:00.000000Z",
    "effective_at": NULL,
    "entry_id": NULL,
    "version": NULL,
    "tombstone": False,
    "leaf": {
        "agency": NULL,
        "at": "2026-11-23T04:00:00.000000Z",
        "commitment": "1d2c0f6d5e2a47b88c3f90d1e6a2b7c4d5f8091a2b3c4d5e6f708192a3b4c5d6",
        "effective_at": NULL,
        "entry_id": NULL,
        "leaves": "9e0c7d1a62f8b3544d6f02c8a1b97e35f4c68d20b15e7a93c0d24f68e7b1a95c",
        "seal": {"entries": 1, "kind": "digest", "root": _DIGEST, "sequence": 7},
        "sequence": 8,
        "tombstone": False,
        "type": "seal",
        "v": 1,
        "version": NULL,
    },
    "personal": {},
    "salt": "00" * 32,
    "withheld": NULL,
}
_ORIGIN: Final = "cekal.example.go.id/5f2b7c0e9d1a4b3c"

LINES: Final[dict[str, Any]] = {
    "first": {
        "summary": "The first line",
        "value": {"origin": _ORIGIN, "cursor": "5f2b7c0e9d1a4b3c.7", "sequence": 7, "count": 1},
    },
    "record": {"summary": "A record on its line", "value": _LISTED},
    "last": {
        "summary": "The last line",
        "value": {
            "count": 1,
            "entries": 1,
            "digest": _DIGEST,
            "seal": _SEAL,
            "size": 8,
            "path": [_DIGEST],
            "checkpoint": f"{_ORIGIN}\n8\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— {_ORIGIN} …\n",
        },
    },
}
