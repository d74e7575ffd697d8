"""The errors of the application; `web.problems` turns them into HTTP answers.

Each error names its public problem (`slug`) and has no status code, since the command line and tests call
use cases too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a request.

    Attributes:
        pointer: RFC 6901 JSON pointer into the body ("" for the whole body).
        code: a stable code for programs.
        detail: an English sentence for a person; never repeats the value that was sent.
    """

    pointer: str
    code: str
    detail: str


class CekalError(Exception):
    """Base class of all errors that are reported to callers.

    Args:
        detail: an English sentence without personal data.
        faults: the single faults, if there may be several or they have a location in the body.
        retry_after: seconds after which a repeat makes sense, sent as `Retry-After`; None sends no such header.
        extra: further members of the problem document.
        afterwards: events that officers are notified of although the act is refused. The code that answers the caller
            reports these events in another transaction, after the act's transaction was rolled back.
    """

    slug: ClassVar[str] = "internal"

    def __init__(
        self,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
        afterwards: Sequence[object] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after = retry_after
        self.extra = dict(extra or {})
        self.afterwards = tuple(afterwards)

    def under(self, pointer: str) -> Self:
        """Return a copy of this error in which every fault's pointer begins with `pointer`.

        Use it for a part of a larger body that was checked on its own.
        """
        faults = [Fault(pointer + fault.pointer, fault.code, fault.detail) for fault in self.faults]
        return type(self)(
            self.detail,
            faults=faults,
            retry_after=self.retry_after,
            extra=self.extra,
            afterwards=self.afterwards,
        )


class Invalid(CekalError):
    """The request's content breaks a rule that has no problem type of its own."""

    slug = "validation"


class BadRequest(CekalError):
    """The request breaks a rule of HTTP, so it can't be interpreted."""

    slug = "bad-request"


class MalformedJson(CekalError):
    """The body is not JSON."""

    slug = "malformed-json"


class UnsupportedMediaType(CekalError):
    """The body is of a media type that the call does not take."""

    slug = "unsupported-media-type"


class UnsupportedCoding(CekalError):
    """The body is compressed, or otherwise encoded, which no call takes."""

    slug = "unsupported-media-type"


class NotAcceptable(CekalError):
    """The call can answer in none of the media types that the request accepts."""

    slug = "not-acceptable"


class MissingSubjectData(CekalError):
    """The identity that the law demands is incomplete (art. 94(2); Permenimipas 13/2025 art. 9(3), 13(2)-(3))."""

    slug = "missing-subject-data"


class WniCannotBeDeterred(CekalError):
    """An entry ban was requested against an Indonesian citizen (UU 6/2011 art. 14; R4)."""

    slug = "wni-cannot-be-deterred"


class PeriodRequired(CekalError):
    """A measure that needs a start and an end was requested without one of them (R11, R12)."""

    slug = "period-required"


class PeriodTooLong(CekalError):
    """The period is longer than the law allows (art. 97(1), 102(1); R20, R24)."""

    slug = "period-too-long"


class LifetimeNotAllowed(CekalError):
    """A measure for life was requested without its conditions (art. 102(3); R11)."""

    slug = "lifetime-not-allowed"


class WitnessNotAllowed(CekalError):
    """An exit ban in a criminal case was requested against a witness (UU 20/2025 art. 89; R7)."""

    slug = "witness-not-allowed"


class StageNotAllowed(CekalError):
    """The criminal case is in a stage in which the owner may not request the measure (R8, R9)."""

    slug = "stage-not-allowed"


class InstrumentMismatch(CekalError):
    """The letter has a legal form that the owner of the entry may not use (art. 91(2); R6)."""

    slug = "instrument-mismatch"


class PhotoInvalid(CekalError):
    """The photo can't be decoded, is too large, or is of another type than the request states."""

    slug = "photo-invalid"


class SecondPairOfEyesNeeded(CekalError):
    """The same person may not act twice on one entry (R31, R32)."""

    slug = "four-eyes"


class WrongAgency(CekalError):
    """The act is for another agency; or the caller's agency is not active, or the province of its office not known."""

    slug = "wrong-agency"


class WrongRole(CekalError):
    """The client's roles do not allow the act."""

    slug = "wrong-role"


class Unauthenticated(CekalError):
    """The request has no key, or one that is unknown, expired, revoked, or not allowed from this network."""

    slug = "unauthenticated"


class NotFound(CekalError):
    """The named object does not exist, or the caller may not see it."""

    slug = "not-found"


class WrongState(CekalError):
    """The object of the act is in a state in which the act is impossible."""

    slug = "wrong-state"


class CaseClosed(CekalError):
    """A final judgment acquitted the person and closed the case (UU 6/2011 art. 97(3); R67)."""

    slug = "case-closed"


class FormalisationMismatch(CekalError):
    """The formal entry is about another person, case or measure than the urgent entry (R15, R26)."""

    slug = "formalisation-mismatch"


class UrgentNotRepeatable(CekalError):
    """The same urgent request lapsed before (Permenkumham 38/2021 art. 11; R35)."""

    slug = "urgent-not-repeatable"


class ExtensionExhausted(CekalError):
    """The measure has been extended as often as the law allows (art. 97(1), 102(1); R22, R24)."""

    slug = "extension-exhausted"


class ExtensionLate(CekalError):
    """The extension arrives later than three days before the end (Permenimipas 13/2025 art. 13(5); R23)."""

    slug = "extension-late"


class DuplicateEntry(CekalError):
    """The owner has already filed this letter, or this measure in the same case, against this person (R14, R15)."""

    slug = "duplicate-entry"


class StaleVersion(CekalError):
    """`If-Match` names a version that is no longer the current one."""

    slug = "stale-version"


class VersionRequired(CekalError):
    """The act needs `If-Match` with the version that the caller has read."""

    slug = "version-required"


class IdempotencyKeyRequired(CekalError):
    """This call is only accepted with an `Idempotency-Key`."""

    slug = "idempotency-key-required"


class IdempotencyKeyNotAllowed(CekalError):
    """This call takes no `Idempotency-Key`: a repeat is a new question."""

    slug = "idempotency-not-allowed"


class IdempotencyMismatch(CekalError):
    """The `Idempotency-Key` was used before with another body."""

    slug = "idempotency-mismatch"


class IdempotencyInFlight(CekalError):
    """A request with the same `Idempotency-Key` is still running."""

    slug = "idempotency-in-flight"


class SecretAlreadyShown(CekalError):
    """A request was repeated whose first answer contained a secret; secrets are shown only once."""

    slug = "secret-already-shown"


class CursorGone(CekalError):
    """The cursor (up to where a reader has read) is of another register or epoch, or is beyond the ledger's head."""

    slug = "cursor-gone"


class BodyTooLarge(CekalError):
    """The body is larger than the call accepts."""

    slug = "body-too-large"


class RateLimited(CekalError):
    """The caller failed to authenticate too often, or has used up a quota of requests."""

    slug = "rate-limited"


class NotStored(CekalError):
    """The check could not be stored durably, so no answer may be sent."""

    slug = "not-stored"


class Unavailable(CekalError):
    """The service can't answer now: it is stopping, at its limit, or cut off from its database.

    Also if the requested object, such as a snapshot or a signed head, is not made yet.
    """

    slug = "unavailable"


class ClockInDoubt(CekalError):
    """The clock is not plausible, and the act could not be undone if the clock was wrong."""

    slug = "clock-in-doubt"


class RolledBack(CekalError):
    """The database was put back to an earlier state, which nobody has accepted yet, so it takes no writes.

    It lacks ledger records that were signed or read before, or it is a backup that was put in place by hand.
    """

    slug = "register-rolled-back"


class MrzUnreadable(CekalError):
    """The machine-readable zone has no known format (ICAO 9303 parts 4-7)."""

    slug = "mrz-unreadable"
