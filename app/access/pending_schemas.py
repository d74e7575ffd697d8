"""The wire of changes that wait for a second admin."""

from typing import Annotated, Any, Final, Self

from pydantic import Field
from starlette.responses import JSONResponse

from app.access.pending import ChangeKind, ChangeState, PendingChange
from app.web.wire import Moment, WireOut


class PendingChangeOut(WireOut):
    """A change that an admin has proposed, and that a second admin confirms."""

    id: str
    kind: ChangeKind
    about: Annotated[str, Field(description="The place's code, or the id of the admin's account or key.")]
    wanted: Annotated[
        dict[str, Any] | None,
        Field(
            description="The place as it is to be; null of a revocation, whose account or key is suspended already."
        ),
    ]
    state: Annotated[
        ChangeState,
        Field(description="`dropped`: another change of the same thing was proposed or made since."),
    ]
    proposed_at: Moment
    proposed_by: str
    confirmed_at: Moment | None
    confirmed_by: str | None

    @classmethod
    def of(cls, change: PendingChange) -> Self:
        """The change on the wire."""
        return cls(**{name: getattr(change, name) for name in cls.model_fields})


WAITS: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": PendingChangeOut, "description": "It waits for a second admin."}
}
"""The `responses=` of a route whose change may wait."""


def waiting(change: PendingChange) -> JSONResponse:
    """The answer of such a route: the change that waits."""
    return JSONResponse(PendingChangeOut.of(change).model_dump(mode="json"), status_code=202)
