"""Days, amounts and codes as Indonesian letters write them."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from app.access.domain import Instrument
from app.alerting.alerts.domain import AlertKind
from app.casework.papers import words
from app.casework.papers.evidence import index
from app.identity.births import Birth
from app.register.amendments import domain as amendments
from app.register.amendments.domain import AmendmentKind
from app.register.amendments.effects import EVENTS
from app.register.entries import person_schemas, schemas, store
from app.register.entries.acts import Act
from app.register.entries.blobs import BlobKind
from app.register.entries.domain import EndedReason, State
from tests.unit.casework.papers.examples import active


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


def test_what_happens_to_an_entry_or_an_amendment_has_its_words():
    named = {*EVENTS.values(), *(reason.value for reason in EndedReason)}
    assert named <= set(Act)
    assert set(words.ACTS) == set(Act)
    assert words.act("countersigned") == "disahkan / countersigned"
    assert words.act("submitted_urgently") == "diajukan secara mendesak / submitted urgently"
    steps = [f"{kind}_{done}" for kind in AmendmentKind for done in ("filed", *amendments._VERDICTS)]
    for code in (*Act, *steps):
        said_id, said_en = words.act(code).split(" / ")
        assert said_id != said_en
        assert "_" not in said_id + said_en
    assert words.act("revocation_filed") == "pencabutan diajukan / revocation filed"


def test_no_version_is_stored_under_a_name_outside_the_vocabulary():
    unit: Any = SimpleNamespace(actor=SimpleNamespace(client_id="cli_1", person=None))
    assert store._version(unit, active(), "approved", None, "{}")["event"] == "approved"
    with pytest.raises(ValueError, match="something_new"):
        store._version(unit, active(), "something_new", None, "{}")


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (words.INSTRUMENTS, get_args(Instrument)),
        (words.REASONS, get_args(schemas.ReasonCode)),
        (words.DOCUMENTS, get_args(person_schemas.DocumentType)),
        (words.SEXES, get_args(person_schemas.Sex)),
        (words.ENDINGS, tuple(EndedReason)),
        (words.STATES, tuple(State)),
        (words.AMENDMENTS, tuple(AmendmentKind)),
        (words.ALERTS, set(AlertKind) - {AlertKind.EXERCISE}),
        (words.STAGES, set(get_args(schemas.Stage)) - {"preliminary_inquiry"}),
        (words.STATUSES, set(get_args(schemas.SubjectStatus)) - {"other"}),
    ],
    ids=["instrument", "reason", "document", "sex", "end", "state", "amendment", "alert", "stage", "status"],
)
def test_every_code_has_its_word(table: dict[str, object], codes: tuple[str, ...]):
    assert set(table) == set(codes)


def test_an_evidence_file_has_words_and_a_folder_for_every_kind_of_file():
    assert set(words.KEPT) == set(index.KEPT) == set(get_args(BlobKind))
