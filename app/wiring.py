"""Which projectors and notifiers follow each event in its transaction: the only place that joins the features."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from functools import partial

from app.access.clients.service import PersonsRegistered
from app.access.pending.domain import SecondAdminAsked
from app.alerting.alerts import service as alerts
from app.alerting.alerts.service import (
    DrillCalled,
    MeasureBegun,
    alert_beginning,
    alert_change,
    alert_drill,
    alert_pending,
    alert_seal,
)
from app.alerting.notices.service import (
    notify_admins,
    notify_duty_officers,
    notify_of_judgment,
    notify_of_own_search,
    notify_of_pending_end,
    notify_of_refusal,
    notify_of_rejection,
    notify_of_seal,
    notify_of_sealed_entry,
    notify_owner,
)
from app.border.clearances import service as clearances
from app.border.clearances.service import ClearanceDecided, end_clearances, publish_clearance
from app.border.hits.service import HitResolved, erase_hits
from app.border.lookbacks.service import restart_search
from app.border.manifests.service import resolve_passenger
from app.db.unit import Follow, Projector, Reader, Unit
from app.kit.clock import Clock, Machine
from app.ledger import service as ledger
from app.ledger.domain import Draft
from app.ledger.service import append
from app.maintenance.backups.epochs import EpochBegun, publish_epoch
from app.register.amendments import service as amendments
from app.register.amendments.events import AmendmentRefused, JudgmentFiled
from app.register.amendments.sealing import seal_corrections
from app.register.entries.events import (
    CountersignAwaited,
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
)
from app.register.entries.publishing import publish_change, publish_erasure
from app.register.entries.seals import seal_own_entries
from app.register.objections import service as objections
from app.register.objections.service import set_last_day_to_file
from app.register.objections.service import was_granted as objection_granted
from app.register.rectifications import service as rectifications
from app.register.rectifications.service import was_granted as wrong_person_granted
from app.runtime import Runtime, open_runtime
from app.settings import Settings
from app.sync.heads.keeper import MarkKeeper
from app.sync.snapshots.domain import DigestComputed
from app.sync.snapshots.service import publish_seal
from app.sync.webhooks import service as webhooks


async def granted(reader: Reader, grounds: str, entry_ids: Collection[str]) -> bool:
    """Return True if an objection or correction request was granted and concerns one of the entries.

    A correction request counts only with the reason `wrong_person`, and only if it was granted in full.

    Args:
        reader: a transaction on the register.
        grounds: the id of the objection or of the correction request.
        entry_ids: ids of the entries.
    """
    if grounds.startswith("obj_"):
        return await objection_granted(reader, grounds, entry_ids)
    return await wrong_person_granted(reader, grounds, entry_ids)


def _erasing(erase: Callable[[Unit, str], Awaitable[object]]) -> Projector:
    """Return a projector that calls `erase`, with which a feature erases its data about the person of an entry."""

    async def follow(unit: Unit, event: EntryErased) -> Sequence[Draft]:
        await erase(unit, event.entry.id)
        return ()

    return follow


def trace_alerts(runtime: Runtime) -> None:
    """Trace alerts from now on, if the deployment says where traces are sent.

    Raises:
        ModuleNotFoundError: the packages of `cekal[trace]` are not installed.
    """
    if runtime.settings.trace_endpoint is not None:
        from app.web.traces import export_traces  # its packages are installed only where they are needed

        runtime.traces = export_traces(runtime.settings.trace_endpoint)


def wired_runtime(settings: Settings, clock: Clock | None = None, machine: Machine | None = None) -> Runtime:
    """Return a runtime with these settings and the projectors and notifiers of all features.

    `clock` and `machine` are a test's clocks; None for the real ones.
    """
    follow = Follow(
        projectors={
            EntryChanged: (publish_change, alert_change, end_clearances),
            EntryErased: (
                _erasing(ledger.erase_of_entry),  # before its erasure is published
                _erasing(amendments.erase_of_entry),
                _erasing(clearances.erase_of_entry),
                _erasing(objections.erase_of_entry),
                _erasing(rectifications.erase_of_entry),
                _erasing(alerts.erase_of_entry),
                _erasing(webhooks.erase_of_entry),
                publish_erasure,
                erase_hits,
            ),
            DutyRecorded: (partial(set_last_day_to_file, holidays=settings.holidays),),
            EntrySealed: (alert_seal,),
            PendingBegun: (alert_pending,),
            SubjectCorrected: (restart_search,),
            ClearanceDecided: (publish_clearance,),
            DrillCalled: (alert_drill,),
            EpochBegun: (publish_epoch,),
            DigestComputed: (publish_seal,),
            MeasureBegun: (alert_beginning,),
            HitResolved: (resolve_passenger,),
            PersonsRegistered: (seal_own_entries, seal_corrections),
        },
        append=append,
        notifiers={
            EntryChanged: (notify_owner,),
            CountersignAwaited: (notify_duty_officers,),
            PendingEnded: (notify_of_pending_end,),
            AmendmentRefused: (notify_of_refusal,),
            JudgmentFiled: (notify_of_judgment,),
            RejectionConsidered: (notify_of_rejection,),
            OwnNameSearched: (notify_of_own_search,),
            SecondAdminAsked: (notify_admins,),
            SealedByItself: (notify_of_seal,),
            SealedEntryMet: (notify_of_sealed_entry,),
        },
        acknowledge_within=timedelta(seconds=settings.acknowledge_seconds),
    )
    return open_runtime(settings, follow, MarkKeeper(settings), clock, machine)
