"""Every SQL statement of papers: what all features have recorded about an entry."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select

from app.amendments.domain import Amendment
from app.amendments.tables import amendment as amendment_table
from app.db.unit import Reader
from app.entries.domain import Entry
from app.entries.tables import version as version_table

_decode = msgspec.json.Decoder(Entry).decode
_decode_amendment = msgspec.json.Decoder(Amendment).decode


@dataclass(frozen=True, slots=True)
class Version:
    """An entry at one version, and what made it so.

    Attributes:
        by: the client that acted.
        person: its employee number; None for machines and for the register itself.
    """

    entry: Entry
    event: str
    by: str
    person: str | None
    at: datetime
    reason: str | None


async def list_versions(reader: Reader, entry_id: str) -> list[Version]:
    """Every version of an entry, oldest first."""
    v = version_table
    statement = (
        select(v.c.document, v.c.event, v.c.by, v.c.person, v.c.at, v.c.reason)
        .where(v.c.entry_id == entry_id)
        .order_by(v.c.version)
    )
    return [Version(_decode(document), *rest) for document, *rest in await reader.run(statement)]


async def list_amendments(reader: Reader, entry_id: str) -> list[Amendment]:
    """Every amendment of an entry, oldest first."""
    a = amendment_table
    statement = select(a.c.document).where(a.c.entry_id == entry_id).order_by(a.c.id)
    return [_decode_amendment(document) for (document,) in await reader.run(statement)]
