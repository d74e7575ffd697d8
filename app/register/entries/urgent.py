"""Use cases of urgent entries: submit one, or preview it (Permenimipas 13/2025 art. 9, 11)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from app.access.acts import AuditAct
from app.access.clients.service import expect_checkpoints
from app.db.unit import Unit
from app.errors import Fault, Invalid
from app.ledger.domain import RecordType
from app.register.entries import store
from app.register.entries.acts import Act
from app.register.entries.blob_store import keep_blob
from app.register.entries.domain import Entry, EntryWarning, Measure, State
from app.register.entries.dossiers import dossier_of
from app.register.entries.drafting import judged, keep_blobs, new_entry, owner_of
from app.register.entries.events import CountersignAwaited, EntryChanged
from app.register.entries.law import periods
from app.register.entries.law.deadlines import Terms
from app.register.entries.proposal import Proposal
from app.register.entries.requested import RequestedUrgentMeasure
from app.register.entries.seals import seal
from app.register.entries.service import conclude, log_look
from app.settings import Settings

OLDEST_REQUEST: Final = timedelta(hours=24)
"""Maximum age of the time at which an urgent request was made (API section 4)."""


async def submit_urgent(
    unit: Unit, requested: RequestedUrgentMeasure, settings: Settings, crossing: str
) -> Entry:
    """File an urgent entry, and return it.

    Usually it is in force at once: checks refer the person from the commit on, and every checkpoint is alerted. A broad
    entry (see module `breadth`) is in force only once a duty officer has countersigned it; so is every entry if the
    setting `urgent_countersign_first` is on. Until then it is `submitted`, and the duty officers are notified.

    In both cases its twenty days run from the request (R25). It lapses if it is not countersigned within
    `countersign_lapse_hours`, or by the end of its last day if that comes first. An entry that repeats a lapsed one
    keeps the lapsed entry's last day (R35).

    Args:
        unit: the transaction.
        requested: the requested measure.
        settings: the deployment's choices.
        crossing: where the person was last seen (R34): `departed`, `in_country` or `unknown`.

    Raises:
        Invalid: an entry ban where the deployment allows only exit bans, a time of the request that is in the future or
            older than a day, an unknown checkpoint, or a seal that is not possible (see `seals.seal`).
        WrongAgency: the actor's agency is not active.
        UrgentNotRepeatable: the same request was made before and can't be repeated (R35; see `Dossier.refuse`).
        CekalError: a rule of law forbids it (see `law.judge`), or the dossier bars it (see `Dossier.refuse`).
    """
    entry = await _drafted(unit, requested, settings, crossing)
    entry = await seal(unit, entry, requested.sealed_for)
    await store.add(unit, entry, Act.SUBMITTED_URGENTLY)
    await keep_blobs(unit, entry, requested)
    if requested.attachment is not None:
        await keep_blob(unit, entry.id, requested.attachment)
    if entry.state is State.SUBMITTED:
        unit.happened(CountersignAwaited(entry))
        await unit.conclude()
        return entry
    return await conclude(unit, EntryChanged(entry, RecordType.ENTRY_PROVISIONAL))


async def preview_urgent(unit: Unit, requested: RequestedUrgentMeasure, settings: Settings) -> Entry:
    """Return an urgent entry as it would be, without filing it; the preview is logged like a search.

    The result does not contain where the person was last seen, and the requested seal is not judged.

    Raises:
        CekalError: filing it would be refused for another reason than its seal (see `submit_urgent`).
    """
    entry = await _drafted(unit, requested, settings, crossing=None)
    await log_look(
        unit,
        AuditAct.URGENT_ENTRY_PREVIEWED,
        None,
        {"broad": requested.breadth is not None and requested.breadth.broad},
    )
    return entry


async def _drafted(
    unit: Unit, requested: RequestedUrgentMeasure, settings: Settings, crossing: str | None
) -> Entry:
    """Return the entry as it would be stored.

    The law's urgent route is written for exit bans; the setting `urgent_deterrence` allows it for entry bans too,
    with the same twenty days.
    """
    if requested.measure is Measure.DETERRENCE and not settings.urgent_deterrence:
        fault = Fault(
            "/measure", "urgent_prevention_only", "The urgent route is open to exit bans only here."
        )
        raise Invalid("An entry ban can't be urgent here.", faults=[fault])
    owner = await owner_of(unit)
    made_at = _requested_at(requested, unit.now, timedelta(seconds=settings.clock_tolerance_seconds))
    await expect_checkpoints(unit, requested.chase, "/alert/checkpoints")
    warnings = list(judged(requested, owner, settings, unit.now))
    starts_on = periods.urgent_start(made_at, unit.now)
    proposal = Proposal.of_requested(replace(requested, starts_on=starts_on), unit.now)
    dossier = await dossier_of(unit, owner.code, requested)
    warnings += dossier.refuse(proposal, Terms.of(settings))
    if requested.attachment is None:
        detail = "The letter itself is not attached; the countersigning officer must see it."
        warnings.append(EntryWarning("letter_unseen", "/letter/attachment", detail))
    broad = requested.breadth is not None and requested.breadth.broad
    first = settings.urgent_countersign_first or broad
    ends_on, wait = dossier.urgent_last_day(proposal), timedelta(hours=settings.countersign_lapse_hours)
    entry = new_entry(
        unit, requested, State.SUBMITTED if first else State.PROVISIONAL, owner.code, tuple(warnings)
    )
    return entry.replace(
        urgent=True,
        letter=requested.letter,
        substitute=requested.substitute,
        requested_at=made_at,
        starts_on=starts_on,
        ends_on=ends_on,
        in_force_from=None if first else unit.now,
        in_force_until=min(unit.now + wait, periods.over_at(ends_on)),
        crossing=crossing,
        alerted=not first,
        alert_message=requested.message,
        chase=requested.chase,
    )


def _requested_at(requested: RequestedUrgentMeasure, now: datetime, tolerance: timedelta) -> datetime:
    """Return when the request was made; a time slightly ahead of the server's clock counts as now."""
    made_at = requested.requested_at or now
    if not now - OLDEST_REQUEST <= made_at <= now + tolerance:
        fault = Fault("/requested_at", "range", "The request was made within the last 24 hours.")
        raise Invalid("The request's time can't be right.", faults=[fault])
    return min(made_at, now)
