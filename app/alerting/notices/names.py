"""The kinds of notices: a closed list of names, with the meaning of each."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class NoticeName(StrEnum):
    """The kinds of notices: a closed list of names."""

    ENDS_SOON = "ends_soon"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    ENDED = "ended"
    UNACKNOWLEDGED = "unacknowledged"
    HIT = "hit"
    HIT_RESOLVED = "hit_resolved"
    HIT_UNRESOLVED = "hit_unresolved"
    CROSSED_BEFORE = "crossed_before"
    OWN_NAME_SEARCHED = "own_name_searched"
    ENTRY_SEALED = "entry_sealed"
    SEALED_ENTRY_MET = "sealed_entry_met"
    JUDGMENT_FILED = "judgment_filed"
    REVOCATION_REFUSED = "revocation_refused"
    AMENDMENT_REFUSED = "amendment_refused"
    REQUEST_REFUSED = "request_refused"
    COUNTERSIGN_AWAITED = "countersign_awaited"
    REJECTION_PROPOSED = "rejection_proposed"
    REJECTION_CONFIRMED = "rejection_confirmed"
    REJECTION_KEPT = "rejection_kept"
    CHECKPOINTS_SILENT = "checkpoints_silent"
    CHECKPOINTS_BACK = "checkpoints_back"
    CHECKPOINTS_UNREACHABLE = "checkpoints_unreachable"
    CHANNEL_FAILED = "channel_failed"
    ESCALATION_CHANGED = "escalation_changed"
    PENDING_UNDECIDED = "pending_undecided"
    PENDING_ENDED = "pending_ended"
    CHANGE_PROPOSED = "change_proposed"
    CHANGE_CONFIRMED = "change_confirmed"
    CLOCK_DOUBTED = "clock_doubted"
    HEAD_UNSIGNED = "head_unsigned"
    REGISTER_DIFFERS = "register_differs"
    REGISTER_RESTORED = "register_restored"
    REGISTER_ROLLED_BACK = "register_rolled_back"
    WEBHOOK_FAILING = "webhook_failing"
    WEBHOOK_DISABLED = "webhook_disabled"


MEANINGS: Final[Mapping[NoticeName, str]] = {
    NoticeName.ENDS_SOON: "a measure in force ends soon (30, 14, 7, 4 days before; day 10, 15, 18, 19 of an urgent "
    "entry's twenty)",
    NoticeName.DUE_SOON: "a request has waited five days of the seven in which it is to be refused or approved",
    NoticeName.OVERDUE: "a deadline has passed unmet; `deadline` names it",
    NoticeName.ENDED: "a measure of your agency, or an urgent request that nobody took up, has ended",
    NoticeName.UNACKNOWLEDGED: "checkpoints have not acknowledged an alert in time; `checkpoints` names them; again, "
    "at growing intervals, until they do",
    NoticeName.HIT: "a check matched an entry of your agency; `outcome` and `checkpoints` are its answer and its place",
    NoticeName.HIT_RESOLVED: "a supervisor has decided whether it was the listed person (`outcome`); a clearance, if "
    "there is one (`clearance_id`), waits for a second person",
    NoticeName.HIT_UNRESOLVED: "nobody has resolved a hit in time",
    NoticeName.CROSSED_BEFORE: "the subject of an urgent entry of your agency was checked in the 24 hours before the "
    "entry came into force, or before a correction added to the subject: `effective_at` says when, `checkpoints` "
    "where, `outcome` what the answer was then",
    NoticeName.OWN_NAME_SEARCHED: "an account has looked in the register for the name that it bears; `client_id` says "
    "which, once a day",
    NoticeName.ENTRY_SEALED: "an entry that you wrote or may see was sealed, because a person that it may be "
    "about has an account now: name in its seal the persons who are to decide on it",
    NoticeName.SEALED_ENTRY_MET: "a request of the client `client_id` was refused because of a sealed entry "
    "that is hidden from it; sent to its authors and the persons of its seal, once a day",
    NoticeName.JUDGMENT_FILED: "another body has filed a judgment about an entry of your agency; `amendment_id` shows "
    "what it would end",
    NoticeName.REVOCATION_REFUSED: "Immigration has rejected or returned your agency's revocation, `amendment_id`, "
    "which has the reason: the measure holds on",
    NoticeName.AMENDMENT_REFUSED: "Immigration has rejected or returned another amendment that your agency asked for; "
    "`amendment_id` has the reason",
    NoticeName.REQUEST_REFUSED: "Immigration has rejected a request of your agency before it came into force; its "
    "history has the reason",
    NoticeName.COUNTERSIGN_AWAITED: "an urgent entry holds nobody until a duty officer has countersigned it; told at "
    "once and every half hour until somebody decides on it, or it lapses (`due_at`)",
    NoticeName.REJECTION_PROPOSED: "a duty officer proposes to reject a countersigned urgent entry of your agency; it "
    "holds on until an approver confirms that",
    NoticeName.REJECTION_CONFIRMED: "an approver has confirmed that an urgent entry of your agency is rejected: it is "
    "over",
    NoticeName.REJECTION_KEPT: "an approver has refused to reject an urgent entry of your agency: it holds on",
    NoticeName.CHECKPOINTS_SILENT: "checkpoints that were connected have been silent for two minutes: no alert reaches "
    "them; `checkpoints` names them",
    NoticeName.CHECKPOINTS_BACK: "checkpoints that an earlier notice named as silent are connected again",
    NoticeName.CHECKPOINTS_UNREACHABLE: "no alert would reach these open checkpoints (`checkpoints`): none has a "
    "connected client, or a contact whose channel works; once a day",
    NoticeName.CHANNEL_FAILED: "a contact of the checkpoint (`checkpoints`) can't be paged by this `channel`; "
    "once a day",
    NoticeName.ESCALATION_CHANGED: "an admin has changed the people to which alerts at this checkpoint are escalated "
    "(`checkpoints`)",
    NoticeName.PENDING_UNDECIDED: "a measure's period is over and papers that arrived in time are "
    "undecided: until `due_at` its subject is referred, never refused; repeated every day",
    NoticeName.PENDING_ENDED: "a measure whose papers were undecided at its end has ended for good: they were refused, "
    "or not decided on in time",
    NoticeName.CHANGE_PROPOSED: "an admin has proposed a change that waits for a second admin: with `change_id`, a "
    "change of a place or the revocation of an admin (`client_id`, suspended meanwhile); without, the account "
    "`client_id`, or a key of it",
    NoticeName.CHANGE_CONFIRMED: "a second admin has confirmed a proposed change",
    NoticeName.CLOCK_DOUBTED: "the clock is not plausible: ends by law, erasures and what else can't be undone wait "
    "until it is, or until `cekal clock accept`; `held_back` of `/readyz` has the reason",
    NoticeName.HEAD_UNSIGNED: "the ledger's newest signed head is no longer valid, and none can be signed: the log has "
    "the reason; nothing newer can be proved until then",
    NoticeName.REGISTER_DIFFERS: "a verification found rows that differ from the ledger or its signed heads: the log "
    "names them, and `cekal verify` lists all; treat it as tampering until it is explained",
    NoticeName.REGISTER_RESTORED: "the register was restored: what was acknowledged after `effective_at` may be "
    "missing and is to be entered again; look whether keys and accounts that were ended after it work again",
    NoticeName.REGISTER_ROLLED_BACK: "the database was put back to an earlier state, and nothing is written until its "
    "operator has run `cekal restore`: checks go on, on older data; `rolled_back` of `/readyz` has the figures",
    NoticeName.WEBHOOK_FAILING: "each attempt to deliver to the webhook endpoint `endpoint_id` of `client_id` has "
    "failed for an hour, since `effective_at`: its deliveries show why",
    NoticeName.WEBHOOK_DISABLED: "the webhook endpoint `endpoint_id` of the integrator `client_id` was disabled, "
    "because it has failed for five days or its receiver says that it is gone (`reason`): nothing is sent to it until "
    "it is activated again; what it missed can be replayed",
}
"""The meaning of each name, for the API's document."""

DETAILS: Final = (
    "deadline",
    "ends_on",
    "days_left",
    "urgent_day",
    "reason",
    "checkpoints",
    "hit_id",
    "outcome",
    "clearance_id",
    "check_id",
    "direction",
    "level",
    "amendment_id",
    "objection_id",
    "client_id",
    "change_id",
    "channel",
    "endpoint_id",
)
"""Names of the members that only some kinds of notices have: the keys of `NoticeContent.detail`."""
