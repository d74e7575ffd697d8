"""Days, amounts and codes as Indonesian letters write them."""

from datetime import UTC, date, datetime
from typing import get_args

import pytest

from app.access.domain import Instrument
from app.amendments.domain import AmendmentKind
from app.amendments.effects import EVENTS
from app.entries import person_schemas, schemas, service
from app.entries.domain import EndedReason
from app.identity.births import Birth
from app.papers import words


@pytest.mark.parametrize(
    ("day", "said", "roman"),
    [
        (date(2026, 11, 23), "23 November 2026", "XI"),
        (date(2027, 5, 1), "1 Mei 2027", "V"),
        (date(2028, 2, 29), "29 Februari 2028", "II"),
    ],
)
def test_a_day_is_written_out(day: date, said: str, roman: str):
    assert (words.day(day), words.month(day)) == (said, roman)


def test_an_instant_is_told_in_the_law_s_zone():
    assert words.moment(datetime(2026, 11, 23, 17, 5, tzinfo=UTC)) == "24 November 2026 pukul 00.05 WIB"


def test_an_amount_is_told_in_rupiah():
    assert words.rupiah(1_250_000_000) == "Rp1.250.000.000,00"


@pytest.mark.parametrize(
    ("birth", "said"),
    [
        (Birth(date="1970"), "1970"),
        (Birth(date="1970-05"), "Mei 1970"),
        (Birth(date="1970-05-17"), "17 Mei 1970"),
        (Birth(age=45, as_of="2026-11-23"), "umur 45 tahun pada tanggal 23 November 2026"),
        (Birth(from_="1968", to="1970-02"), "antara 1968 dan Februari 1970"),
    ],
)
def test_a_birth_is_never_told_sharper_than_it_is_known(birth: Birth, said: str):
    assert words.birth(birth) == said


def test_a_state_has_its_indonesian_name_and_its_code():
    assert words.state("NZL") == "Selandia Baru (NZL)"
    assert words.state("QQQ") == "QQQ"
    assert words.state(None) == "tidak disebutkan"


def test_what_happens_to_an_entry_or_an_amendment_has_its_word():
    events = {*EVENTS.values(), *service._EVENTS.values(), *(reason.value for reason in EndedReason)}
    assert events <= set(words.ACTS)
    assert words.act("countersigned") == "disahkan / countersigned"
    steps = [
        f"{kind}_{verdict}" for kind in AmendmentKind for verdict in ("verify", "return", "approve", "reject")
    ]
    assert all(words.act(step).endswith(f" / {step}") for step in steps)
    assert words.act("revocation_filed") == "pencabutan diajukan / revocation_filed"
    assert words.act("something_new") == "something_new"


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.INSTRUMENTS, get_args(Instrument)),
        (words.REASONS, get_args(schemas.ReasonCode)),
        (words.DOCUMENTS, get_args(person_schemas.DocumentType)),
        (words.SEXES, get_args(person_schemas.Sex)),
        (words.ENDINGS, tuple(EndedReason)),
        (words.STAGES, set(get_args(schemas.Stage)) - {"preliminary_inquiry"}),
        (words.STATUSES, set(get_args(schemas.SubjectStatus)) - {"other"}),
    ],
    ids=["instrument", "reason", "document", "sex", "end", "stage", "status"],
)
def test_every_code_has_its_word(table: dict[str, object], codes: tuple[str, ...]):
    assert set(table) == set(codes)
