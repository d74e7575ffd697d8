"""The shipped agencies, checkpoints, offices and provinces hang together."""

from typing import get_args

from app.access.domain import Instrument
from app.access.places.reference import (
    load_agencies,
    load_checkpoints,
    load_offices,
    load_provinces,
)


def test_every_checkpoint_has_a_code_of_its_own():
    codes = [place.code for place in load_checkpoints()]
    assert len(codes) == 171
    assert len(set(codes)) == 171


def test_every_checkpoint_tells_its_time():
    assert {place.zone for place in load_checkpoints()} == {"Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"}
    assert {place.mode for place in load_checkpoints()} == {"air", "land", "sea", "sea-special"}


def test_a_checkpoint_keeps_the_time_of_its_province():
    zones = {province.name: province.zone for province in load_provinces()}
    placed = [place for place in load_checkpoints() if place.province is not None]
    assert len(placed) == 167
    assert [place.code for place in placed if zones[place.province or ""] != place.zone] == []


def test_well_known_places_are_in_the_right_zone():
    zones = {place.code: place.zone for place in load_checkpoints()}
    assert zones["CGK"] == zones["PNK"] == zones["KUM"] == "Asia/Jakarta"
    assert zones["DPS"] == zones["UPG"] == zones["TRI"] == zones["TRK"] == "Asia/Makassar"
    assert zones["SKOUW"] == zones["AMB"] == zones["TTE"] == zones["TKYN"] == "Asia/Jayapura"


def test_the_fifteen_agencies_name_only_parents_that_exist():
    agencies = load_agencies()
    codes = [agency.code for agency in agencies]
    assert len(set(codes)) == len(codes) == 15
    for agency in agencies:
        assert agency.parent is None or codes.index(agency.parent) < codes.index(agency.code)


def test_an_agency_uses_only_the_instruments_of_the_contract():
    forms = {agency.code: set(agency.legal_forms) for agency in load_agencies()}
    assert set().union(*forms.values()) == set(get_args(Instrument))
    assert forms["KPK"] == {"order"}
    assert forms["IMIGRASI"] == {"decision", "supervision_report", "administrative_action"}


def test_only_bodies_empowered_elsewhere_must_name_the_article():
    assert {agency.code for agency in load_agencies() if agency.article_required} == {
        "BNPT",
        "BIN",
        "OJK",
        "LAIN",
    }


def test_offices_have_readable_codes_and_known_provinces():
    offices = load_offices()
    assert len({office.code for office in offices}) == len(offices) == 80
    assert {office.province for office in offices} <= {province.name for province in load_provinces()}
    others = {office.code for office in offices if not office.code.startswith("KANIM-")}
    assert others == {"DITJENIM"}  # the directorate general itself, whose officers approve
    assert all(office.code.isascii() for office in offices)
    assert "KANIM-SOEKARNO-HATTA" in {office.code for office in offices}


def test_there_are_38_provinces():
    assert len({province.code for province in load_provinces()}) == 38
