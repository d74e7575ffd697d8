"""Parsing a check's body into a question about a traveller."""

from codecs import BOM_UTF8
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter, ValidationError

from app.border.checks.schemas import CheckIn, CheckPersonIn
from app.border.checks.traveller import Traveller, traveller_of
from app.errors import CekalError, Fault, Invalid, MalformedJson, MrzUnreadable
from app.identity import latin, mrz, typed_numbers
from app.identity.births import Birth
from app.identity.mrz import Mrz
from app.kit.clock import legal_day
from app.matching.keys import KeyQuery, key_query
from app.register.entries.person_schemas import LONGEST_NUMBER
from app.web.bodies import expect_members
from app.web.faults import in_body


class ParsedQuestion(msgspec.Struct, frozen=True):
    """A parsed question of a check.

    Attributes:
        body: the body as it was sent, validated.
        mrz: the parsed machine-readable zone; None without one.
        traveller: the traveller that the body describes.
        keys: the traveller's number keys (`Traveller.number_keys`), which find entries.
        key_query: the query by name and birth; None without a name that has a letter or a digit.
    """

    body: CheckIn
    mrz: Mrz | None
    traveller: Traveller
    keys: list[str]
    key_query: KeyQuery | None

    @property
    def text(self) -> str:
        """The question in the form in which it is stored."""
        return self.body.model_dump_json(exclude_none=True)

    def warnings(self) -> list[dict[str, str]]:
        """Return a warning for each member of the question that was not read literally, as in `CheckWarningOut`."""
        typed = self.traveller.typed
        doubts = typed.doubts if typed is not None else ()
        of_the_number = [
            {"code": doubt, "pointer": "/document/number", "detail": typed_numbers.DOUBTS[doubt]}
            for doubt in doubts
        ]
        return [*of_the_number, *self._of_the_name()]

    def _of_the_name(self) -> list[dict[str, str]]:
        """Return a warning if a typed name is in a weakly compared script and no zone gives it in Latin letters."""
        name = self.body.person.name if self.body.person else None
        scripts = latin.weak_scripts(name) if name and self.mrz is None else ()
        if not scripts:
            return []
        detail = _WEAK_SCRIPT.format(scripts=", ".join(scripts))
        return [{"code": "weak_script", "pointer": "/person/name", "detail": detail}]


_WEAK_SCRIPT: Final = (
    "Names in this script ({scripts}) are compared weakly: by one reading of several. Ask by the spelling in the "
    "passport."
)
_check = TypeAdapter(CheckIn)
_NOTHING_ELSE = CheckPersonIn()


def parse_question(sent: bytes | Mapping[str, Any], today: date) -> ParsedQuestion:
    """Parse the question of a check and validate it.

    Args:
        sent: the body's bytes, or a row of `POST /v1/checks/batch` as a decoded JSON object.
        today: the legal day; it decides the century of two-digit years, and which birth dates are in the future.

    Raises:
        Invalid: the body has faults, nothing to search for, a birth date in the future, or a text in place of the
            document number that can't be a number.
        MalformedJson: the bytes are not JSON.
        MrzUnreadable: the machine-readable zone has no known format.
    """
    body = _valid(sent)
    parsed = parse_traveller(body, today)
    typed = parsed.traveller.typed
    if typed is not None and typed.fault == "characters":
        raise _at_fault("/document/number", "characters", typed_numbers.FAULTS["characters"])
    if body.document is not None and len(body.document.number) > LONGEST_NUMBER:
        _expect_a_number(parsed.traveller.typed)
    if not parsed.keys and parsed.key_query is None:
        raise _at_fault(
            _first_given(body),
            "nothing_to_look_for",
            "Nothing is left here to look for: no name and no number of a document, and no other data about a person.",
        )
    born = body.person.birth_date if body.person else None
    if born and born > today.isoformat()[: len(born)]:
        raise _at_fault("/person/birth_date", "future", "Nobody is born in the future.")
    return parsed


def parse_stored(question: str | None, at: datetime) -> ParsedQuestion | None:
    """Parse the text of a stored question without the validation of `parse_question`; never raises.

    Returns None if the question was erased (`question` is None), or if an earlier release with other rules stored it
    and it can't be read now. `at` is the time of the check; its legal day decides the century of two-digit years.
    """
    if question is None:
        return None
    try:
        return parse_traveller(_valid(question.encode()), legal_day(at))
    except CekalError:
        return None


def parse_traveller(body: CheckIn, today: date) -> ParsedQuestion:
    """Parse a validated body into a question; unlike `parse_question`, accept one with nothing to search for.

    `today` is the legal day, which decides the century of two-digit years.

    Raises:
        MrzUnreadable: the machine-readable zone has no known format.
    """
    person = body.person or _NOTHING_ELSE
    birth = Birth(date=person.birth_date) if person.birth_date else None
    zone = _read(body.mrz, today).beside(birth) if body.mrz else None
    traveller = traveller_of(
        mrz=zone,
        document=(body.document.number, body.document.issuing_state) if body.document else None,
        name=person.name,
        birth=birth,
        sex=person.sex,
        nationality=person.nationality,
        personal_number=person.nik,
    )
    sought = key_query(traveller.person) if traveller.person.names else None
    return ParsedQuestion(body, zone, traveller, traveller.number_keys(), sought)


def _expect_a_number(typed: typed_numbers.Typed | None) -> None:
    """Raise Invalid if a field longer than any document number contains none."""
    if typed and any(len(each.number) > LONGEST_NUMBER and not each.possible for each in typed.numbers):
        detail = f"A number has at most {LONGEST_NUMBER} characters, and no shorter one can be read here."
        raise _at_fault("/document/number", "string_too_long", detail)


def _first_given(body: CheckIn) -> str:
    if body.mrz:
        return "/mrz"
    if body.person and (body.person.name or body.person.nik):
        return "/person/name" if body.person.name else "/person/nik"
    return "/document/number"


def _valid(sent: bytes | Mapping[str, Any]) -> CheckIn:
    try:
        if isinstance(sent, bytes):
            body = _check.validate_json(sent.removeprefix(BOM_UTF8))  # as `json_text.read` does
            expect_members(sent, _members(body))
            return body
        return _check.validate_python(sent, strict=False)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise MalformedJson("The body is no JSON.") from None
        faults = in_body(error)
        raise Invalid(f"The request has faults; {len(faults)} listed in errors.", faults=faults) from None


def _members(body: CheckIn) -> int:
    """Return the number of members of a question, in all of its objects."""
    members = len(body.model_fields_set)
    if body.document is not None:
        members += len(body.document.model_fields_set)
    if body.person is not None:
        members += len(body.person.model_fields_set)
    return members


def _at_fault(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, faults=[Fault(pointer, code, detail)])


def _read(text: str, today: date) -> Mrz:
    try:
        return mrz.parse(text, today)
    except mrz.MrzUnreadable as error:
        fault = Fault("/mrz", error.code, str(error))
        raise MrzUnreadable("The machine-readable zone can't be read.", faults=[fault]) from None
