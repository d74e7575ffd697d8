"""Path parameters, problem responses and the OpenAPI tag that routes about an entry share, in every feature."""

from typing import Annotated

from fastapi import Path

from app.access.admission.guard import reader_for
from app.access.domain import Role
from app.db.unit import Reader
from app.register.entries.domain import Entry
from app.web.etag import etag_of

EntryId = Annotated[str, Path(max_length=40, description="The entry's id.")]

EntryReader = Annotated[
    Reader,
    reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR),
]

CONTENT = (
    "validation",
    "missing-subject-data",
    "wni-cannot-be-deterred",
    "period-required",
    "period-too-long",
    "lifetime-not-allowed",
    "witness-not-allowed",
    "stage-not-allowed",
    "instrument-mismatch",
    "photo-invalid",
    "duplicate-entry",
    "case-closed",
    "extension-exhausted",
    "wrong-agency",
)
"""Slugs of problems with an entry's content."""


def tag_of(entry: Entry, reader: Reader) -> str:
    """Return the entry's ETag.

    It changes with the version, the current state, `in_force`, the ledger sequence and the duties done.
    """
    return etag_of(
        entry.version,
        entry.in_force(reader.now),
        entry.at(reader.now).state.value,
        entry.sequence,
        sorted(entry.met.items()),
    )
