"""The passenger list as carriers send it: read by what it says, warned of what does not agree, refused where cut."""

from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.border.manifests.edifact import Unreadable
from app.border.manifests.journeys import Leg
from app.border.manifests.paxlst import Paper, PassengerList, PaxlstPassenger, TooManyPassengers, read
from tests.support.manifests import FLIGHT, HEADER, listed, paxlst, stranger

SHARED = Path(__file__).parents[5] / "shared" / "data" / "edifact"

LEG = Leg("GA880", "SYD", datetime(2026, 11, 24, 9, 5), "DPS", datetime(2026, 11, 24, 12, 30))  # noqa: DTZ001 - local

ONE = paxlst(stranger()).encode()


def taken(text: str) -> PassengerList:
    return read(text.encode())


def warned(text: str) -> list[str]:
    return [each.code for each in taken(text).warnings]


def refusal(text: str) -> Unreadable:
    with pytest.raises(Unreadable) as refused:
        taken(text)
    return refused.value


def one(segments: str) -> PaxlstPassenger:
    (person,) = taken(HEADER + FLIGHT + "NAD+FL+++DOE:JOHN'\n" + segments + "UNT+0+1'").passengers
    return person


def test_a_list_is_read_as_it_stands() -> None:
    first, second = stranger("0001"), stranger("0002")
    told = taken(paxlst(first, second))
    assert told.warnings == []
    assert told.legs == [LEG]
    assert [each.reference for each in told.passengers] == ["0001", "0002"]
    person = told.passengers[0]
    assert person.name == first["person"]["name"]
    assert person.birth == first["person"]["birth_date"].replace("-", "")[2:]
    assert person.papers == [Paper("P", first["document"]["number"], first["document"]["issuing_state"])]
    assert (person.locator, person.embarks, person.leaves) == ("LOC0001", "SYD", "DPS")
    envelope = told.envelope
    assert (envelope.sender, envelope.recipient) == (("GARUDA", "ZZ"), ("CEKAL", "ZZ"))
    assert (envelope.reference, envelope.application, envelope.transaction) == ("26112301", "APIS", "TRX1")
    assert envelope.message == ("PAXLST", "D", "05B", "UN", "IATA")


def test_several_documents_keep_their_own_states() -> None:
    person = one("DOC+P:110:111+A1'DTM+36:300131'LOC+91+IDN'DOC+V:110:111+V9'LOC+91+NZL'DOC+I+B2'LOC+91+GBR'")
    assert person.papers == [Paper("P", "A1", "IDN"), Paper("V", "V9", "NZL"), Paper("I", "B2", "GBR")]


def test_a_passengers_own_places_are_not_the_journeys() -> None:
    person = one("LOC+178+SIN'LOC+179+DPS'LOC+174+GBR'")
    assert (person.embarks, person.leaves) == ("SIN", "DPS")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("NAD+FL+++DOE:JOHN:MICHAEL'", "JOHN MICHAEL DOE"),
        ("NAD+FL+++SUHARTO'", "SUHARTO"),
        ("NAD+FL++DOE?:JOHN'", "DOE:JOHN"),
        ("NAD+FM+++DOE:JOHN'", "JOHN DOE"),
        ("NAD+VW+0000041153:109++DOE:JOHN::::1+11107 SUNSET ROAD+RESTON'", "JOHN DOE"),
        ("NAD+FL'", ""),
    ],
)
def test_names_are_given_names_then_surname(written: str, name: str) -> None:
    (person,) = taken(f"{HEADER}{FLIGHT}{written}UNT+0+1'").passengers
    assert person.name == name


@pytest.mark.parametrize(
    "told", ["DTM+329:710203'", "DTM+329:710203:101'", "DTM+329+710203'", "DTM+329:71-02-03'"]
)
def test_a_birth_date_is_its_digits(told: str) -> None:
    assert one(told).birth == "710203"


@pytest.mark.parametrize(
    ("told", "departs"),
    [
        ("DTM+189:2611240905:201'", datetime(2026, 11, 24, 9, 5)),  # noqa: DTZ001 - local, as all here
        ("DTM+189:202611240905:203'", datetime(2026, 11, 24, 9, 5)),  # noqa: DTZ001
        ("DTM+189:20261124:0905:203'", datetime(2026, 11, 24, 9, 5)),  # noqa: DTZ001
        ("DTM+189+2611240905'", datetime(2026, 11, 24, 9, 5)),  # noqa: DTZ001
        ("DTM+189:20261124:102'", datetime(2026, 11, 24)),  # noqa: DTZ001
        ("DTM+189:2613400905:201'", None),
        ("DTM+189:000101010000:203'", None),
        ("DTM+189:999912312359:203'", None),
        ("DTM+189'", None),
        ("", None),
    ],
)
def test_times_are_told_by_their_length(told: str, departs: datetime | None) -> None:
    text = f"{HEADER}TDT+20+GA880'LOC+125+SYD'{told}LOC+87+DPS'NAD+FL+++DOE'UNT+0+1'"
    assert taken(text).legs == [Leg("GA880", "SYD", departs, "DPS", None)]


def test_several_legs_follow_each_other() -> None:
    flight = (
        "TDT+20+GA88'LOC+92+AKL'DTM+189:2611240905:201'LOC+92+SYD'DTM+232:2611241130:201'"
        "TDT+20+GA89'LOC+92+SYD'DTM+189:2611241230:201'LOC+92+DPS'DTM+232:2611241830:201'"
    )
    legs = taken(f"{HEADER}{flight}NAD+FL+++DOE'UNT+0+1'").legs
    assert [(leg.flight, leg.origin, leg.destination) for leg in legs] == [
        ("GA88", "AKL", "SYD"),
        ("GA89", "SYD", "DPS"),
    ]


def test_places_without_times_are_paired_in_order() -> None:
    legs = taken(f"{HEADER}TDT+20+GA88'LOC+92+SYD'LOC+92+DPS'NAD+FL+++DOE'UNT+0+1'").legs
    assert [(leg.origin, leg.destination) for leg in legs] == [("SYD", "DPS")]


def test_a_list_without_a_journey_is_still_a_list() -> None:
    told = taken(f"{HEADER}NAD+FL+++DOE'UNT+0+1'")
    assert (told.legs, len(told.passengers)) == ([], 1)


@pytest.mark.parametrize(
    ("trailer", "codes"),
    [
        ("UNT+99+PAX001'UNE+1+1'UNZ+1+1'", ["segment_count"]),
        ("UNT+abc'UNE+1+1'UNZ+1+1'", ["segment_count"]),
        ("UNE+1+1'UNZ+1+1'", ["no_trailer"]),
        ("UNT+23+PAX001'", ["no_trailer"]),
        ("UNT+23+PAX001'UNZ+7+1'", ["message_count"]),
        ("UNT+23+PAX001'UNZ+1+1", []),
    ],
)
def test_wrong_trailers_are_warned_of(trailer: str, codes: list[str]) -> None:
    told = taken(paxlst(stranger(), trailer=trailer))
    assert [each.code for each in told.warnings] == codes
    assert len(told.passengers) == 1


def test_a_wrong_count_of_passengers_is_warned_of() -> None:
    assert warned(paxlst(stranger()).replace("CNT+42:1", "CNT+42:3")) == ["passenger_count"]


def test_a_party_that_does_not_travel_is_passed_over_with_what_is_told_of_it() -> None:
    told = taken(f"{HEADER}{FLIGHT}NAD+FL+++DOE:JOHN'NAD+CN+++SHOP'DOC+P+X1'NAT+2+IDN'UNT+0+1'UNZ+1+1'")
    assert [each.name for each in told.passengers] == ["JOHN DOE"]
    assert told.passengers[0].papers == []
    assert "party_passed_over" in [each.code for each in told.warnings]


def test_parts_of_one_list_are_one_list() -> None:
    part = "UNH+{}+PAXLST:D:05B:UN:IATA'BGM+745'" + FLIGHT + "NAD+FL+++DOE:{}'CNT+42:1'UNT+10+{}'"
    text = (
        "UNB+UNOA:4+A+B+261123:0300+1'" + part.format(1, "JOHN", 1) + part.format(2, "JANE", 2) + "UNZ+2+1'"
    )
    told = taken(text)
    assert [each.name for each in told.passengers] == ["JOHN DOE", "JANE DOE"]
    assert told.warnings == []


def test_several_flights_are_several_manifests() -> None:
    part = "UNH+{0}+PAXLST:D:05B:UN:IATA'TDT+20+GA{0}'LOC+125+SYD'LOC+87+DPS'NAD+FL+++DOE'UNT+6+{0}'"
    assert refusal(part.format(1) + part.format(2)).code == "several_flights"


@pytest.mark.parametrize("code", ["CUSRES:D:05B:UN:IATA", "ORDERS:D:96A:UN", ""])
def test_another_message_is_refused_where_it_begins(code: str) -> None:
    refused = refusal(f"UNB+UNOA:4+A+B+261123:0300+1'UNH+1+{code}'BGM+962'UNT+3+1'UNZ+1+1'")
    assert (refused.code, refused.segment, refused.tag) == ("not_paxlst", 2, "UNH")


def test_a_list_that_breaks_off_says_where() -> None:
    whole = paxlst(stranger("0001"), stranger("0002"))
    cut = refusal(whole[: whole.index("RFF+ABO:0002") + 5])
    assert (cut.code, cut.tag) == ("cut", "RFF")
    assert cut.segment == whole[: whole.index("RFF+ABO:0002")].count("'\n")  # the service string is none


def test_cut_anywhere_it_is_refused_or_loses_nobody() -> None:
    whole = paxlst(stranger("0001"), stranger("0002"))
    end = whole.index("UNT+")
    for at in range(len(whole)):
        if at < end + len("UNT"):
            assert refusal(whole[:at]).code in {"cut", "no_interchange", "no_message", "not_paxlst"}, at
        else:
            assert len(taken(whole[:at]).passengers) == 2


def test_a_thousand_and_one_are_too_many() -> None:
    many = HEADER + FLIGHT + "NAD+FL+++DOE'" * 1001 + "UNT+0+1'"
    with pytest.raises(TooManyPassengers):
        taken(many)


@settings(max_examples=200)
@given(st.data())
def test_a_spoilt_list_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(ONE)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[at] = data.draw(st.sampled_from(b"+:'?\n\"*\x00 AZ09\xff"))
    try:
        told = read(bytes(whole))
    except Unreadable:
        return
    assert len(told.passengers) <= 3


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared EDIFACT files are not here")
@pytest.mark.parametrize(
    ("name", "flights", "passengers", "codes"),
    [
        ("01_paxlst_two_pax.edi", ["CA339"], 2, []),
        ("02_paxlst_one_refused.edi", ["CA339"], 2, []),
        ("Test1.edi", ["UA0989"], 8, ["segment_count"]),
        ("apisMessage.edi", ["AA123", "AA124"], 2, []),
    ],
)
def test_published_messages_are_read(
    name: str, flights: list[str], passengers: int, codes: list[str]
) -> None:
    told = read((SHARED / name).read_bytes())
    assert [leg.flight for leg in told.legs] == flights
    assert len(told.passengers) == passengers
    assert all(each.name and each.birth for each in told.passengers)
    assert [each.code for each in told.warnings] == codes


def test_a_listed_passenger_is_what_the_builder_writes() -> None:
    assert listed(stranger("7")).count("'\n") == 11


def test_codes_in_letters_that_look_like_ours_are_those_codes():
    """A sender's charset may be Cyrillic (UNOE); places, states and flights are compared by machines."""
    text = paxlst(stranger("1"))
    plain = read(text.encode())
    typed = (
        text.replace("UNOA", "UNOY")
        .replace("LOC+87+DPS", "LOC+87+D\u0420\u0405")
        .replace("+GA880+", "+G\u0410880+")
    )
    told = read(typed.replace("NAT+2+IDN", "NAT+2+\u0406DN").encode())
    assert (told.legs, told.passengers[0].nationality) == (plain.legs, plain.passengers[0].nationality)


US_HEADER = """UNA:+.? '
UNB+UNOA:1+SAMPLAIR:ID+CEKAL:ID+261123:0300+2611230300++CEDIPAX+A+++0'
UNG+PAXLST+SAMPLECOMM:ID+CEKAL:ID+261123:0300+2611230300+ID+001:000'
UNH+2611230300+PAXLST:001:000:ID+SA812/261124/2300'
CTA+IC+:OPS? DESK+1-555-0100:TE'
TDT++SA812+40+SA'
LOC+005+AUSYD:50'
DTM+136+261124+0905+M05'
LOC+008+IDDPS:50'
DTM+132+261124+1230+M05'
UNS+D'
"""
"""The head of the United States' older passenger list."""

US_TAIL = "UNT+000009+2611230300'UNE+1+2611230300'UNZ+1+2611230300'"


def test_the_older_list_of_the_united_states_is_read() -> None:
    told = taken(
        US_HEADER + "PDT+P/LM0182345:300909:NZL+MARLOWE:SIMEON:P:590429:M+PAX+AUSYD:IDDPS'"
        "PDT+P/C76543D::GB+O?'BOYLAN:ALVA::521221:F+CRW+AUSYD:IDDPS'" + US_TAIL
    )
    assert told.legs == [msgspec.structs.replace(LEG, flight="SA812", origin="AUSYD", destination="IDDPS")]
    one_, other = told.passengers
    assert one_ == PaxlstPassenger(
        name="SIMEON P MARLOWE",
        birth="590429",
        sex="M",
        embarks="AUSYD",
        leaves="IDDPS",
        papers=[Paper("P", "LM0182345", "NZL")],
    )
    assert (other.name, other.birth, other.sex) == ("ALVA O'BOYLAN", "521221", "F")
    assert other.papers == [Paper("P", "C76543D", "GB")]


@pytest.mark.parametrize(
    ("written", "name", "birth", "papers"),
    [
        ("PDT+P/A1+DOE:JOHN'", "JOHN DOE", "", [Paper("P", "A1", "")]),
        ("PDT+A1:300101:NZL+DOE'", "DOE", "", [Paper("", "A1", "NZL")]),
        ("PDT+\u0420/A1::NZL+DOE'", "DOE", "", [Paper("P", "A1", "NZL")]),
        ("PDT++DOE:JOHN::351230'", "JOHN DOE", "351230", []),
        ("PDT+P/:300101:NZL+DOE:351230:F'", "DOE", "351230", []),
        ("PDT'", "", "", []),
    ],
)
def test_a_passenger_in_one_segment_may_lack_parts(
    written: str, name: str, birth: str, papers: list[Paper]
) -> None:
    [person] = taken(US_HEADER + written + US_TAIL).passengers
    assert (person.name, person.birth, person.papers) == (name, birth, papers)


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        ("", "found: TDT (1)"),
        ("PNA+A+DOE:JOHN'PNA+A+DOE:JANE'", "PNA (2), TDT (1)"),
        ("NAD+HV+++DOE:JOHN'CNT+42:2'", "CNT (1), NAD (1), TDT (1)"),
        ("?X+1'LONGTAG+1'", "found: TDT (1)"),
    ],
)
def test_a_list_without_passengers_is_refused_with_what_was_found(segments: str, found: str) -> None:
    refused = refusal(f"UNH+1+PAXLST:D:05B:UN:IATA'TDT+20+GA880'{segments}UNT+0+1'")
    assert refused.code == "no_passengers"
    assert found in refused.detail


def test_a_part_of_a_list_may_have_no_passengers_where_another_has() -> None:
    part = f"{HEADER}{FLIGHT}"
    told = taken(
        f"{part}UNT+0+1'{part.partition('UNH')[1]}{part.partition('UNH')[2]}NAD+FL+++DOE:JOHN'UNT+0+1'"
    )
    assert len(told.passengers) == 1
