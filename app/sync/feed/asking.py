"""The query parameters of a request for the feed, which are the same in every format."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from starlette.types import Scope

from app.access.domain import Role
from app.ledger.domain import RecordType, Selection
from app.ledger.polling import LONGEST_WAIT
from app.web.parameters import DECIMAL, WHOLE
from app.web.request_rules import read_parameters

LINES: Final = "application/x-ndjson"
READERS: Final = frozenset({Role.INTEGRATOR, Role.AUDITOR})
RESTART: Final = "/v1/snapshot"
"""Path at which a reader whose cursor is of another epoch, or beyond the head, begins anew."""

DEFAULT_LIMIT: Final = 100
"""Greatest number of records of a page of JSON if the request has no `limit`."""

_WAIT = (
    "JSON: seconds to wait for a first record when there is none. Lines: seconds for which the answer goes on with new "
    "records after it has reached the ledger's end. Of no meaning for events, which go on in any case."
)
_LIMIT = (
    f"How many records at most: in JSON {DEFAULT_LIMIT} unless given, in lines all unless given. "
    "Of no meaning for events."
)

Wait = Annotated[float, Query(ge=0, le=LONGEST_WAIT, description=_WAIT), DECIMAL]
Limit = Annotated[int | None, Query(ge=1, le=500, description=_LIMIT), WHOLE]
Types = Annotated[
    list[RecordType] | None,
    Query(alias="type", description="Only records of these types; repeat it for several."),
]
EntryId = Annotated[
    str | None,
    Query(
        max_length=40,
        pattern="^[A-Za-z0-9_]+$",
        description="Only records about this entry, its alerts and its clearances; none where there is no such entry.",
    ),
]


@dataclass(frozen=True, slots=True)
class Asking:
    """The query parameters of a request for the feed (the ledger's records, for holders of copies), and their faults.

    Faults are kept here until the caller is admitted: then `expect_valid` raises them.

    Attributes:
        after: the cursor; records after it are requested. None for the beginning of the ledger.
        wait: a number of seconds. A page without records waits so long for a first one; lines go on for so long after
            they have reached the ledger's end.
        limit: the largest number of records; None if the request has no `limit`.
        selection: the requested types of records, and the entry that the records must be about.
        faults: the faults of the parameters, as FastAPI lists them; empty if all are valid. If there are any, the other
            members have no meaning.
    """

    after: str | None
    wait: float
    limit: int | None
    selection: Selection
    faults: Sequence[Any]

    @classmethod
    def of(cls, scope: Scope) -> "Asking":
        """Return the query parameters in an ASGI scope; wrong ones are returned as `faults`, never raised."""
        values, faults = read_parameters(scope)
        if faults:
            return cls(None, 0, None, Selection(), faults)
        types = frozenset(each.value for each in values["types"] or ())
        selection = Selection(types, values["entry_id"])
        return cls(values["after"], values["wait"], values["limit"], selection, ())

    def expect_valid(self) -> None:
        """Raise RequestValidationError with all faults if a parameter is wrong.

        Call it after the caller is admitted and may read the feed.

        Raises:
            RequestValidationError: a parameter is wrong; the error lists each fault.
        """
        if self.faults:
            raise RequestValidationError(list(self.faults))
