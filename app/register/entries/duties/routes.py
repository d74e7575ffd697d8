"""Routes to report a duty as done with its proof, and to read the duties done."""

from typing import Annotated, Self

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.access.admission.guard import GuardedRoute, runtime_of, unit_for
from app.access.domain import Role
from app.db.unit import Unit
from app.register.entries.duties import service as duties
from app.register.entries.duties.service import Done, Duty, DutyName
from app.register.entries.law.deadlines import Terms
from app.register.entries.parameters import EntryId, EntryReader, tag_of
from app.register.entries.schemas_out import EntryOut
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.wire import Line, Moment, Prose, WireIn, WireOut

router = APIRouter(prefix="/entries", tags=["entries"], route_class=GuardedRoute)

Officer = Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]


class DutyIn(WireIn):
    """A duty that was done, or a finished task of the worklist, with the proof."""

    name: Annotated[
        DutyName,
        Field(
            description="`deliver_to_person`, `deliver_to_minister`, `restore` (the letter that rehabilitates the "
            "person after an annulment by judgment): by the owner's submitter or verifier. "
            "`notify_refusal`, `withdraw_passport`: by Immigration's approver, duty officer or submitter; the "
            "Foreign Ministry's withdrawals are recorded by Immigration. `related_entry` (the owner's) and "
            "`case_conflict` (Immigration's) are tasks of the worklist, which this closes."
        ),
    ]
    done_at: Annotated[
        Moment,
        Field(description="Not in the future, and not before the day of the decision it follows from."),
    ]
    reference: Annotated[
        Line, Field(description="The proof: a receipt's number, the name of who received it.")
    ]
    note: Prose | None = None
    """A note about it."""


class DutyOut(WireOut):
    """A duty that was done."""

    name: DutyName
    done_at: Moment
    reference: Annotated[str | None, Field(description="The proof; null once it was erased.")]
    note: str | None
    by: str
    """Id of the client that recorded it."""
    recorded_at: Moment
    """When it was recorded."""

    @classmethod
    def of(cls, duty: Duty) -> Self:
        """Convert the duty to the API's model."""
        values = msgspec.structs.asdict(duty)
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class DutiesOut(WireOut):
    """The duties done for an entry, in the order in which they were recorded."""

    items: list[DutyOut]
    """The duties."""


@router.post(
    "/{entry_id}/duties",
    status_code=201,
    summary="Record a duty as done",
    response_description="The duty was recorded; this is the entry with its deadlines after it.",
    responses={
        **carrying(201, "ETag"),
        **problems("validation", "not-found", "wrong-agency", "wrong-state", *REPEATS),
    },
)
async def record_duty(
    unit: Officer, entry_id: EntryId, body: DutyIn, request: Request, response: Response
) -> EntryOut:
    """Record that a duty about an entry was done, or close tasks of the worklist; `name` in the body decides which.

    A duty is recorded only while it is open; a second record of the same duty is refused as `wrong-state`. Some duties
    open again later: an extension, for example, must be delivered to the person too.

    With the name `related_entry` or `case_conflict`, no duty is recorded. All open tasks of this name about the entry
    are closed; without one, the answer is `wrong-state`.

    The entry keeps its version, so a decision that another officer is about to make on it is not refused as stale. Its
    ETag changes with a recorded duty, because the deadlines change.
    """
    settings = runtime_of(request).settings
    done = Done(body.name, body.done_at, body.reference, body.note)
    entry = await duties.discharge(unit, entry_id, done, Terms.of(settings))
    response.headers["ETag"] = tag_of(entry, unit)
    return EntryOut.of(entry, unit.now, settings)


@router.get(
    "/{entry_id}/duties",
    summary="Read the duties done",
    response_description="The duties that were done about the entry.",
    responses=problems("not-found"),
)
async def read_duties(reader: EntryReader, entry_id: EntryId) -> DutiesOut:
    """List the recorded duties about an entry, with their proof."""
    done = await duties.list_duties(reader, entry_id)
    return DutiesOut(items=[DutyOut.of(duty) for duty in done])
