"""The roles that may give each verdict on an entry, by state (no I/O; API section 3)."""

from typing import Final

from app.access.domain import Role
from app.register.entries.values import State, Verdict

ROLES: Final = {
    Verdict.VERIFY: frozenset({Role.VERIFIER}),
    Verdict.RETURN: frozenset({Role.VERIFIER, Role.APPROVER}),
    Verdict.APPROVE: frozenset({Role.APPROVER}),
    Verdict.REJECT: frozenset({Role.APPROVER, Role.DUTY_OFFICER}),
    Verdict.COUNTERSIGN: frozenset({Role.DUTY_OFFICER}),
    Verdict.KEEP: frozenset({Role.APPROVER}),
}
"""Roles that may give a verdict in at least one state, by verdict."""

DECIDERS: Final = {
    (Verdict.VERIFY, State.SUBMITTED, False): frozenset({Role.VERIFIER}),
    (Verdict.RETURN, State.SUBMITTED, False): frozenset({Role.VERIFIER}),
    (Verdict.RETURN, State.VERIFIED, False): frozenset({Role.APPROVER}),
    (Verdict.APPROVE, State.VERIFIED, False): frozenset({Role.APPROVER}),
    (Verdict.REJECT, State.VERIFIED, False): frozenset({Role.APPROVER}),
    (Verdict.COUNTERSIGN, State.PROVISIONAL, True): frozenset({Role.DUTY_OFFICER}),
    (Verdict.COUNTERSIGN, State.SUBMITTED, True): frozenset({Role.DUTY_OFFICER}),
    (Verdict.REJECT, State.PROVISIONAL, True): frozenset({Role.DUTY_OFFICER}),
    (Verdict.REJECT, State.SUBMITTED, True): frozenset({Role.DUTY_OFFICER}),
}
"""Roles that may give a verdict, by verdict, state, and whether the entry is urgent; without a key it is not possible.

Proposals to reject are decided on by another rule (see `Entry.decide`)."""
