"""Judgement of a request by the law and its practice (no I/O; R1-R20, R22, R24; `docs/rules.md` lists them).

Every rule adds its faults. The first fault with a problem type other than Invalid determines the type of the error.
All faults are listed, so that an officer can correct everything at once.
"""

from collections.abc import Callable
from datetime import date

from app.errors import Invalid
from app.register.entries.domain import EntryWarning
from app.register.entries.law import ground, identity, period
from app.register.entries.law.request import Findings, Owner, Policy, Request


def judge(request: Request, owner: Owner, policy: Policy, today: date) -> tuple[EntryWarning, ...]:
    """Return the warnings of the law's rules about a request; raise an error if a rule forbids it.

    Args:
        request: the request.
        owner: the agency that will own the measure.
        policy: the deployment's choices.
        today: the legal day of the judgement.

    Raises:
        CekalError: a rule forbids the request. The error lists all faults; its type is that of the first fault which is
            more specific than `Invalid`, else `Invalid`.
    """
    findings = Findings(warnings=list(request.notices))
    for rule in _RULES:
        rule(request, owner, policy, today, findings)
    if findings.faults:
        kind, first = next((pair for pair in findings.faults if pair[0] is not Invalid), findings.faults[0])
        raise kind(first.detail, faults=[fault for _, fault in findings.faults])
    return tuple(findings.warnings)


_RULES: tuple[Callable[[Request, Owner, Policy, date, Findings], None], ...] = (
    identity.citizenship,
    identity.identity,
    ground.urgent_letter,
    identity.sense,
    identity.name,
    period.period,
    period.extension,
    ground.instrument,
    ground.article,
    ground.ground,
    ground.witness,
    ground.tax,
    ground.foreigners_only,
    ground.victim,
    ground.letter_dates,
    ground.own_decision,
    identity.nik_fits,
)
