"""Duties about an entry: recorded with their proof, and read."""

from typing import Annotated, Self

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from app.access.domain import Role
from app.access.guard import GuardedRoute, runtime_of, unit_for
from app.db.unit import Unit
from app.entries import duties
from app.entries.answers import EntryOut
from app.entries.deadlines import Terms
from app.entries.duties import Done, Duty, DutyName
from app.entries.routes import EntryId, EntryReader, tag_of
from app.web.openapi import REPEATS, problems
from app.web.wire import Line, Moment, Prose, WireIn, WireOut

router = APIRouter(prefix="/entries", tags=["entries"], route_class=GuardedRoute)

Officer = Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]


class DutyIn(WireIn):
    """A duty that was done, and its proof."""

    name: Annotated[
        DutyName,
        Field(
            description="`deliver_to_person`, `deliver_to_minister`, `restore` (the letter that rehabilitates the "
            "person after an annulment by judgment): by the owner's submitter or verifier. "
            "`notify_refusal`, `withdraw_passport`: by Immigration's approver, duty officer or submitter; the "
            "Foreign Ministry's withdrawals are recorded by Immigration."
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


class DutyOut(WireOut):
    """A duty that was done."""

    name: DutyName
    done_at: Moment
    reference: Annotated[str | None, Field(description="The proof; null once it was erased.")]
    note: str | None
    by: str
    recorded_at: Moment

    @classmethod
    def of(cls, duty: Duty) -> Self:
        """The duty on the wire."""
        values = msgspec.structs.asdict(duty)
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class DutiesOut(WireOut):
    """The duties that were done about an entry, in the order in which they were recorded."""

    items: list[DutyOut]


@router.post(
    "/{entry_id}/duties",
    status_code=201,
    summary="Record a duty as done",
    responses=problems("validation", "not-found", "wrong-agency", "wrong-state", *REPEATS),
)
async def record_duty(
    unit: Officer, entry_id: EntryId, body: DutyIn, request: Request, response: Response
) -> EntryOut:
    """Put on record that a decision was delivered, a refusal notified, or a passport withdrawn.

    Each is recorded once. The entry keeps its version, so that a decision on the version which its officer has
    read stays possible; its ETag changes with its deadlines.
    """
    settings = runtime_of(request).settings
    done = Done(body.name, body.done_at, body.reference, body.note)
    entry = await duties.discharge(unit, entry_id, done, Terms.of(settings))
    response.headers["ETag"] = tag_of(entry, unit)
    return EntryOut.of(entry, unit.now, settings)


@router.get("/{entry_id}/duties", summary="Read the duties done", responses=problems("not-found"))
async def read_duties(reader: EntryReader, entry_id: EntryId) -> DutiesOut:
    """What was recorded to have been done about an entry, with the proof."""
    done = await duties.list_duties(reader, entry_id)
    return DutiesOut(items=[DutyOut.of(duty) for duty in done])
