"""The JSON model of a change that waits for a second admin."""

from typing import Annotated, Any, Final, Self

from pydantic import Field
from starlette.responses import JSONResponse

from app.access.pending.domain import ChangeKind, ChangeState, PendingChange
from app.web.wire import Moment, WireOut


class PendingChangeOut(WireOut):
    """A change that an admin has proposed, and that a second admin confirms."""

    id: str
    """The change's id."""
    kind: ChangeKind
    """The kind of change."""
    about: Annotated[str, Field(description="The place's code, or the id of the admin's account or key.")]
    wanted: Annotated[
        dict[str, Any] | None,
        Field(
            description="The proposed place; null for a revocation, whose account or key is suspended already."
        ),
    ]
    state: Annotated[
        ChangeState,
        Field(
            description="`dropped`: another change of the same object was proposed or made since, or the command line "
            "decided otherwise."
        ),
    ]
    proposed_at: Moment
    """When the change was proposed."""
    proposed_by: str
    """Id of the client of the admin that proposed the change."""
    confirmed_at: Moment | None
    """When the change was confirmed; null before."""
    confirmed_by: str | None
    """Id of the client of the second admin that confirmed the change; null before."""

    @classmethod
    def of(cls, change: PendingChange) -> Self:
        """Convert a change to the API's model."""
        same = cls.model_fields.keys() - {"wanted"}
        return cls(wanted=change.proposed, **{name: getattr(change, name) for name in same})


WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": PendingChangeOut, "description": "It waits for a second admin."}
}
"""The `responses=` of a route for changes that can wait for a second admin."""


def waiting(change: PendingChange) -> JSONResponse:
    """Return the response with status 202, whose body is the change that waits."""
    return JSONResponse(PendingChangeOut.of(change).model_dump(mode="json"), status_code=202)
