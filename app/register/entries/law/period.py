"""Rules on the period of a measure: starts, ends, lengths and extensions (R11, R12, R20-R24)."""

from datetime import date, timedelta

from app.errors import ExtensionExhausted, Invalid, LifetimeNotAllowed, PeriodRequired, PeriodTooLong
from app.register.entries.domain import Measure
from app.register.entries.law import periods
from app.register.entries.law.request import Findings, Owner, Policy, Request

PREVENTION_EXTENDED_ONCE_SINCE = date(2012, 6, 20)
"""Day of Constitutional Court ruling 64/PUU-IX/2011, which voided "each time" in art. 97(1) (R22)."""

DETERRENCE_EXTENDED_ONCE_SINCE = date(2024, 10, 17)
"""Effective date of UU 63/2024; before it, entry bans could be extended repeatedly (art. 102(1); R24)."""


def period(request: Request, _owner: Owner, policy: Policy, today: date, findings: Findings) -> None:
    """R11, R12, R20, R22, R24: add a fault for a period that is missing, over, reversed, or longer than the law allows.

    A measure for life gets a fault if it is an exit ban, if it has a last day, or if the ground for life is not stated.
    In a correction the last day is not judged. An urgent request is not judged at all.
    """
    if request.urgent:
        return
    if request.starts_on is None:
        findings.fault(PeriodRequired, "/starts_on", "required", "The first day of the measure is required.")
    if request.lifetime:
        _lifetime(request, findings)
        return
    if request.origin == "correction":
        return
    if request.ends_on is None:
        findings.fault(
            PeriodRequired, "/ends_on", "required", "A measure has an end (UU 6/2011 art. 97, 102)."
        )
    if request.starts_on is None or request.ends_on is None:
        return
    if request.ends_on < request.starts_on:
        findings.fault(Invalid, "/ends_on", "order", "The last day is before the first.")
        return
    if request.ends_on < today:
        findings.fault(Invalid, "/ends_on", "past", "The period is over already.")
    prevention = request.measure is Measure.PREVENTION
    months = periods.PREVENTION_MONTHS if prevention else periods.DETERRENCE_MONTHS
    article = "six months (UU 6/2011 art. 97(1))" if prevention else "ten years (UU 6/2011 art. 102(1))"
    last = _last_day(request.starts_on, months, policy)
    if request.ends_on > last:
        detail = f"At most {article}: with this first day, until {last}."
        findings.fault(PeriodTooLong, "/ends_on", "too_long", detail)


def extension(request: Request, _owner: Owner, policy: Policy, today: date, findings: Findings) -> None:
    """R22, R24: judge the earlier extensions of a measure that is taken over from an older register.

    Faults are more extensions than the law allowed on the day `today`, and a first day of the current period that does
    not fit the first period and the number of extensions. If the first day of the first period is unknown, a warning
    says that the length of that period can't be judged.
    """
    count, first, starts_on = request.extension_count, request.first_started_on, request.starts_on
    prevention = request.measure is Measure.PREVENTION
    since = PREVENTION_EXTENDED_ONCE_SINCE if prevention else DETERRENCE_EXTENDED_ONCE_SINCE
    if count > periods.EXTENSIONS and today >= since:
        detail = f"Since {since} a measure is extended once only (R22, R24)."
        findings.fault(Invalid, "/extension_count", "exhausted", detail)
    if first is None or starts_on is None:
        if count:
            detail = "Without its first day the length of the first period can't be judged."
            findings.warn("first_period_unknown", "/first_started_on", detail)
        return
    months = periods.PREVENTION_MONTHS if prevention else periods.DETERRENCE_MONTHS
    latest = first
    for _ in range(count):
        latest = _last_day(latest, months, policy) + timedelta(days=1)
    if not (first < starts_on <= latest if count else first == starts_on):
        detail = f"After {count} extensions the period begins later than the first, by {latest} (R22, R24)."
        findings.fault(PeriodTooLong, "/starts_on", "extension_start", detail)


def exhausted(measure: Measure) -> ExtensionExhausted:
    """Return the error to raise for a measure that has had all its extensions (R22, R24)."""
    article = "97(1); MK 64/PUU-IX/2011" if measure is Measure.PREVENTION else "102(1)"
    return ExtensionExhausted(
        f"The measure has been extended as often as the law allows (UU 6/2011 art. {article}). A person still "
        "wanted goes on the wanted list (DPO)."
    )


def _last_day(starts_on: date, months: int, policy: Policy) -> date:
    try:
        return periods.last_day_allowed(starts_on, months, policy.month_convention)
    except ValueError:
        return date.max - timedelta(days=1)


def _lifetime(request: Request, findings: Findings) -> None:
    if request.measure is Measure.PREVENTION:
        detail = "An exit ban is never for life (UU 6/2011 art. 97(1))."
        findings.fault(LifetimeNotAllowed, "/lifetime", "prevention", detail)
    elif not request.basis.lifetime_ground:
        detail = "For life only with a recorded ground of security and public order (UU 6/2011 art. 102(3))."
        findings.fault(LifetimeNotAllowed, "/basis/lifetime_ground", "required", detail)
    if request.ends_on is not None:
        findings.fault(Invalid, "/ends_on", "must_be_null", "A measure for life has no last day.")
