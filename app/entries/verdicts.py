"""Which roles say which verdict on an entry, and in which state (contract section 3); pure."""

from typing import Final

from app.entries.values import State, Verdict

ROLES: Final = {
    Verdict.VERIFY: frozenset({"verifier"}),
    Verdict.RETURN: frozenset({"verifier", "approver"}),
    Verdict.APPROVE: frozenset({"approver"}),
    Verdict.REJECT: frozenset({"approver", "duty_officer"}),
    Verdict.COUNTERSIGN: frozenset({"duty_officer"}),
    Verdict.KEEP: frozenset({"approver"}),
}
"""Roles that may say a verdict at all."""

DECIDERS: Final = {
    (Verdict.VERIFY, State.SUBMITTED, False): frozenset({"verifier"}),
    (Verdict.RETURN, State.SUBMITTED, False): frozenset({"verifier"}),
    (Verdict.RETURN, State.VERIFIED, False): frozenset({"approver"}),
    (Verdict.APPROVE, State.VERIFIED, False): frozenset({"approver"}),
    (Verdict.REJECT, State.VERIFIED, False): frozenset({"approver"}),
    (Verdict.COUNTERSIGN, State.PROVISIONAL, True): frozenset({"duty_officer"}),
    (Verdict.COUNTERSIGN, State.SUBMITTED, True): frozenset({"duty_officer"}),
    (Verdict.REJECT, State.PROVISIONAL, True): frozenset({"duty_officer"}),
    (Verdict.REJECT, State.SUBMITTED, True): frozenset({"duty_officer"}),
}
"""Roles that may say a verdict in a state, of an urgent entry or another; none where it does not fit."""
