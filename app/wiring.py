"""Which events have which followers: what must happen, in the same transaction, after an event."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial

from app.access.pending import SecondAdminAsked
from app.access.service import PersonsRegistered
from app.alerts.service import (
    DrillCalled,
    MeasureBegun,
    follow_beginning,
    follow_entry,
    follow_pending,
    follow_seal,
    tell_drill,
)
from app.amendments.events import AmendmentRefused, JudgmentFiled
from app.amendments.sealing import follow_persons as close_corrections
from app.clearances.service import ClearanceDecided
from app.clearances.service import follow_entry as end_clearances
from app.clearances.service import tell_ledger as tell_clearance
from app.db.unit import Follow, Reader
from app.entries.events import (
    DutyRecorded,
    EntryChanged,
    EntryErased,
    EntrySealed,
    OwnNameSearched,
    PendingBegun,
    PendingEnded,
    RejectionConsidered,
    SealedByItself,
    SealedEntryMet,
    SubjectCorrected,
    tell_erasure,
    tell_ledger,
)
from app.entries.seals import follow_persons as close_own_entries
from app.hits.service import HitResolved
from app.hits.service import forget_entry as forget_hits
from app.kit.clock import Clock, Machine
from app.ledger.service import append
from app.lookbacks.service import follow_correction as search_anew
from app.manifests.service import follow_hit as tell_passenger
from app.notices.service import follow_admins as tell_admins
from app.notices.service import follow_entry as tell_owner
from app.notices.service import follow_judgment as tell_of_judgment
from app.notices.service import follow_meeting as tell_of_meeting
from app.notices.service import follow_pending as tell_pending_ended
from app.notices.service import follow_refusal as tell_of_refusal
from app.notices.service import follow_rejection as tell_of_rejection
from app.notices.service import follow_seal as tell_of_seal
from app.notices.service import follow_search as tell_own_name
from app.objections.service import follow_receipt as tell_receipt
from app.objections.service import holidays_of
from app.objections.service import was_granted as objection_granted
from app.rectifications.service import was_granted as wrong_person_granted
from app.runtime import Runtime, open_runtime
from app.settings import Settings


async def granted(reader: Reader, grounds: str, entry_ids: Collection[str]) -> bool:
    """Whether an objection, or a correction request `wrong_person`, of one of some entries was granted in full."""
    if grounds.startswith("obj_"):
        return await objection_granted(reader, grounds, entry_ids)
    return await wrong_person_granted(reader, grounds, entry_ids)


def wired_runtime(settings: Settings, clock: Clock | None = None, machine: Machine | None = None) -> Runtime:
    """A Runtime, as `open_runtime`, in which ledger, alerts, notices and all others follow the register."""
    follow = Follow(
        projectors={
            EntryChanged: (tell_ledger, follow_entry, end_clearances, tell_owner),
            EntryErased: (tell_erasure, forget_hits),
            DutyRecorded: (partial(tell_receipt, holidays=holidays_of(settings)),),
            EntrySealed: (follow_seal,),
            PendingBegun: (follow_pending,),
            PendingEnded: (tell_pending_ended,),
            SubjectCorrected: (search_anew,),
            ClearanceDecided: (tell_clearance,),
            DrillCalled: (tell_drill,),
            MeasureBegun: (follow_beginning,),
            HitResolved: (tell_passenger,),
            AmendmentRefused: (tell_of_refusal,),
            JudgmentFiled: (tell_of_judgment,),
            RejectionConsidered: (tell_of_rejection,),
            OwnNameSearched: (tell_own_name,),
            PersonsRegistered: (close_own_entries, close_corrections),
            SecondAdminAsked: (tell_admins,),
            SealedByItself: (tell_of_seal,),
            SealedEntryMet: (tell_of_meeting,),
        },
        append=append,
        acknowledge_within=timedelta(seconds=settings.acknowledge_seconds),
    )
    return open_runtime(settings, follow, clock, machine)
