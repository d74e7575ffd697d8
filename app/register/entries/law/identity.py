"""Rules on the person: citizenship, and the identity that the law demands (R1-R5, R16, R19)."""

from datetime import date

from app.errors import Invalid, MissingSubjectData, WniCannotBeDeterred
from app.identity import latin, names, nik, spellings, states, typed_numbers
from app.identity.births import span
from app.register.entries.domain import Measure
from app.register.entries.law.request import Findings, Owner, Policy, Request
from app.register.entries.subjects import Citizenship


def citizenship(request: Request, _owner: Owner, _policy: Policy, today: date, findings: Findings) -> None:
    """R4, R5: add a fault for an entry ban against an Indonesian citizen (UU 6/2011 art. 14).

    Citizenship is derived from the person's data (see `Subject.citizenship_on`). Faults are added too for an unknown
    state code, and for a loss of citizenship without its file or dated in the future. A NIK, travel permit or old
    passport that `citizenship_note` explains adds a warning only, because foreigners may have them too.
    """
    subject = request.subject
    shown = subject.shows_citizenship(today)
    if request.measure is Measure.DETERRENCE and subject.citizenship_on(today) is Citizenship.WNI:
        findings.fault(WniCannotBeDeterred, "/subject", "wni", _SHOWN if shown else _DOUBTED)
    elif subject.says_indonesian and not shown and subject.citizenship_note and not subject.citizenship_loss:
        detail = "A NIK, a travel permit or an old passport indicates Indonesia; the note explains why it is no proof."
        findings.warn("citizenship_doubt", "/subject/citizenship_note", detail)
    _loss(request, today, findings)
    for i, code in enumerate(request.subject.nationalities):
        if states.canonical(code) not in states.KNOWN:
            detail = "This is no ICAO 9303 code of a state."
            findings.fault(Invalid, f"/subject/nationalities/{i}", "unknown_state", detail)
    for i, document in enumerate(request.subject.documents):
        code = document.issuing_state or states.INDONESIA
        if states.canonical(code) not in states.KNOWN:
            detail = "This is no ICAO 9303 code of a state."
            findings.fault(Invalid, f"/subject/documents/{i}/issuing_state", "unknown_state", detail)


_WNI = "An Indonesian citizen can't be refused entry (UU 6/2011 art. 14): "
_SHOWN = (
    f"{_WNI}a nationality or a passport shows that this is one. A former citizen needs `citizenship_loss`."
)
_DOUBTED = (
    f"{_WNI}a NIK or a document shows that this may be one. `citizenship_note` explains why this is none."
)


def _loss(request: Request, today: date, findings: Findings) -> None:
    loss, pointer = request.subject.citizenship_loss, "/subject/citizenship_loss"
    if loss is None:
        return
    if loss.issued_on > today:
        detail = "The document of the loss is dated in the future."
        findings.fault(Invalid, f"{pointer}/issued_on", "future", detail)
    if not request.has_loss_document:
        detail = "The approver must see the document by which citizenship was lost."
        findings.fault(MissingSubjectData, f"{pointer}/attachment", "required", detail)


def identity(request: Request, _owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R1, R2, R3, R19: add a fault for each member of the subject that the law demands and that is missing.

    Documents, address, nationalities, occupation and NIK may be unknown; each must be given or be named in `unknown`.
    An urgent request must give the nationalities. The NIK is demanded only of an Indonesian. Entries from a published
    list, and extensions, are not judged.
    """
    if request.origin in {"list", "extension"}:
        return
    subject = request.subject

    def need(given: object, member: str, detail: str) -> None:
        if not given:
            findings.fault(MissingSubjectData, f"/subject/{member}", "required", detail)

    need(names.fold(subject.full_name), "full_name", "The name is required (UU 6/2011 art. 94(2)a).")
    need(subject.sex, "sex", "The sex is required (UU 6/2011 art. 94(2)a).")
    need(subject.births, "birth", "A birth date, or an age, is required (UU 6/2011 art. 94(2)a).")
    if subject.birth is not None and subject.birth.date is not None:
        need(subject.birth_place, "birth_place", "A birth date needs its place (UU 6/2011 art. 94(2)a).")
    if not request.photo_optional:
        need(request.has_photo, "photo", "A photo is required (UU 6/2011 art. 94(2)a).")
    if request.urgent:
        need(subject.nationalities, "nationalities", "Required when urgent (Permenimipas 13/2025 art. 9(3)).")
    for member in ("documents", "address", "nationalities", "occupation"):
        _known_or_declared(request, member, getattr(subject, member), findings)
    if states.INDONESIA in subject.nationalities:
        _known_or_declared(request, "nik", subject.nik, findings)


def sense(request: Request, _owner: Owner, _policy: Policy, today: date, findings: Findings) -> None:
    """R3, R19: add faults for data that can never match: a document without a number, and a birth in the future.

    A text such as "None" or "-" contains no document number. Imported measures and the documents of an extension are
    not judged.
    """
    if request.origin in {"list", "takeover"}:
        return
    subject = request.subject
    filed = () if request.origin == "extension" else subject.documents  # judged before
    for i, document in enumerate(filed):
        if not typed_numbers.certain(document.number):
            detail = "This is no document's number; name `documents` in `unknown` instead."
            findings.fault(Invalid, f"/subject/documents/{i}/number", "empty", detail)
    pointers = ["/subject/birth"] if subject.birth else []
    pointers += [f"/subject/birth_alternatives/{i}" for i in range(len(subject.birth_alternatives))]
    for pointer, birth in zip(pointers, subject.births, strict=True):
        if span(birth)[0] > today:
            findings.fault(Invalid, pointer, "future", "The birth is in the future.")


_WEAK_SCRIPT = (
    "Names in this script are compared weakly: by one reading of several. Add the spelling in the passport, or another "
    "one in Latin letters, as an alias of good quality."
)


def name(request: Request, _owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R1: add a fault if the full name is a placeholder such as "FNU" or "XXX"; imported measures get no fault.

    A warning is added if the full name and every alias of good quality are in scripts whose names are compared by one
    reading only.
    """
    subject = request.subject
    full_name = subject.full_name
    if (
        request.origin not in {"list", "takeover"}
        and names.fold(full_name)
        and spellings.names_nobody(full_name)
    ):
        detail = (
            "A placeholder (FNU, XXX, TANPA NAMA) is nobody's name: everybody whose name is unknown has it."
        )
        findings.fault(Invalid, "/subject/full_name", "placeholder", detail)
    good = (full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    if all(map(latin.weak_scripts, good)):
        findings.warn("weak_script", "/subject/full_name", _WEAK_SCRIPT)


def _known_or_declared(request: Request, member: str, given: object, findings: Findings) -> None:
    if not given and member not in request.unknown:
        findings.fault(
            MissingSubjectData,
            f"/subject/{member}",
            "give_or_say_unknown",
            "It must be given when known (Permenimipas 13/2025 art. 13(3)); otherwise name it in `unknown`.",
        )
    if given and member in request.unknown:
        findings.fault(Invalid, "/unknown", "contradiction", f"`{member}` is given, and listed as unknown.")


def nik_fits(request: Request, _owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R16: add a warning for a NIK that is malformed, or contradicts the stated birth date or sex.

    Alternative birth dates and nationalities are not compared.
    """
    subject = request.subject
    if subject.nik:
        for code in nik.faults(subject.nik, subject.sex, subject.birth):
            findings.warn(code, "/subject/nik", "The NIK does not fit the rest of the identity (R16).")
