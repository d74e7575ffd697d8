"""Keys of numbers made anew: letters of other scripts are what they look like, placeholders are no number.

A document is found by each number that its field means for certain, and by what may be meant besides; a letter or a
case by its letters in A to Z. Documents themselves stay as they were written: the ledger has their hashes.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id
from app.identity.typed_numbers import read
from app.register.entries.keys import letter_key, named_case_key

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

_AT_ONCE: Final = 500
_FORMER: Final = "o:"
_MADE_ANEW: Final = ("d:%", "k:%", "o:d:%", "o:k:%")

_entry = sa.table(
    "entry",
    sa.column("id", Id),
    sa.column("agency", sa.String()),
    sa.column("erased", sa.Integer()),
    sa.column("document", sa.Text()),
)
_key = sa.table("entry_key", sa.column("key", sa.String()), sa.column("entry_id", Id))


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for rows in _pages():
        _renew(rows)


def downgrade() -> None:
    """Nothing: an older program finds its own keys among these, and makes those of changed entries anew."""


def _pages() -> Iterator[list[sa.Row[Any]]]:
    """All entries that name a person, some at a time, by id."""
    after = ""
    while True:
        wanted = sa.select(_entry).where(_entry.c.id > after, _entry.c.erased < 2)  # noqa: PLR2004 - the person's stage
        rows = list(op.get_bind().execute(wanted.order_by(_entry.c.id).limit(_AT_ONCE)))
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _renew(rows: list[sa.Row[Any]]) -> None:
    connection = op.get_bind()
    ids = [row.id for row in rows]
    of_numbers = sa.or_(*(_key.c.key.like(pattern) for pattern in _MADE_ANEW))
    held = sa.select(_key.c.key, _key.c.entry_id).where(_key.c.entry_id.in_(ids), of_numbers)
    there = {(key, entry_id) for key, entry_id in connection.execute(held)}
    entries = {row.id: (row.agency, json.loads(row.document)) for row in rows}
    wanted = {(key, known) for known, (_, entry) in entries.items() for key in _numbers(entry)}
    written = {
        (key, known) for known, (agency, entry) in entries.items() for key in _references(agency, entry)
    }
    for key, entry_id in there - wanted:
        connection.execute(_key.delete().where(_key.c.key == key, _key.c.entry_id == entry_id))
    if written:  # rare: only references with letters of other scripts
        held = sa.select(_key.c.key, _key.c.entry_id).where(
            _key.c.entry_id.in_({entry_id for _, entry_id in written})
        )
        written -= {(key, entry_id) for key, entry_id in connection.execute(held)}
    added = [{"key": key, "entry_id": entry_id} for key, entry_id in sorted((wanted - there) | written)]
    if added:
        connection.execute(_key.insert(), added)


def _numbers(entry: dict[str, Any]) -> Iterator[str]:
    for prefix, subject in (
        ("", entry["subject"]),
        *((_FORMER, each["subject"]) for each in entry.get("former", ())),
    ):
        for paper in subject.get("documents", ()):
            for number in read(paper["number"]).numbers:
                yield f"{prefix}d:{number.number}"[:200]
                yield from (f"{prefix}k:{skeleton}"[:200] for skeleton in number.skeletons)


def _references(agency: str, entry: dict[str, Any]) -> Iterator[str]:
    """Keys of letters and of the case, where a reference has letters of another script; others are as they were."""
    bases = [entry["basis"], *filter(None, [entry.get("extended_by")])]
    numbers = [each["number"] for each in bases]
    cases = [entry["basis"]["case_reference"]]
    for each in entry.get("former", ()):
        numbers += each["numbers"]
        cases.append(each["case_reference"])
    yield from (letter_key(agency, number) for number in numbers if not number.isascii())
    yield from filter(None, (named_case_key(agency, case) for case in cases if not case.isascii()))
