"""The two published editions, where at hand: everything plain is found, nothing is lost in silence."""

import re
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse

from app.identity.documents import normalise
from app.identity.states import from_country_name
from app.register.lists.un import digest, read

LISTS = Path(__file__).parents[5] / "shared" / "data" / "lists"
EDITIONS = ("un_consolidated_2020-11-24.xml", "un_consolidated_2021-03-12.xml")

pytestmark = pytest.mark.skipif(
    not LISTS.is_dir(), reason="the published editions of the UN list are not beside the repository"
)


@pytest.fixture(scope="module", params=EDITIONS)
def path(request: pytest.FixtureRequest):
    return LISTS / request.param


def test_every_individual_is_read(path: Path):
    edition = read(path)
    root = parse(path).getroot()
    assert len(edition.persons) == len(root.findall("INDIVIDUALS/INDIVIDUAL"))
    assert len(edition.entity_ids) == len(root.findall("ENTITIES/ENTITY"))
    assert edition.unreadable == ()


def test_every_plain_number_is_a_document_of_its_listed_state(path: Path):
    persons = {person.data_id: person for person in read(path).persons}
    seen = 0
    for element in parse(path).getroot().iter("INDIVIDUAL"):
        papers = persons[element.findtext("DATAID")].documents
        for document in element.iterfind("INDIVIDUAL_DOCUMENT"):
            value = (document.findtext("NUMBER") or "").strip()
            if not re.fullmatch(r"[A-Z0-9 ]+", value):
                continue
            country = document.findtext("ISSUING_COUNTRY") or document.findtext("COUNTRY_OF_ISSUE")
            state = from_country_name(country) if country else None
            (paper,) = [one for one in papers if normalise(one.number) == value.replace(" ", "")]
            assert state is None or paper.issuing_state == state
            seen += 1
    assert seen > 300


def test_every_document_is_a_document_or_a_remark(path: Path):
    persons = {person.data_id: person for person in read(path).persons}
    for element in parse(path).getroot().iter("INDIVIDUAL"):
        person = persons[element.findtext("DATAID")]
        given = [one for one in element.iterfind("INDIVIDUAL_DOCUMENT") if len(one)]
        left_out = [one for one in person.remarks if one.code in {"no_document_number", "several_numbers"}]
        assert not given or person.documents or left_out


def test_indonesians_are_recognised(path: Path):
    indonesians = [person for person in read(path).persons if person.is_indonesian]
    assert len(indonesians) == 25
    assert all("IDN" in person.nationalities for person in indonesians)


def test_the_newer_edition_adds_changes_and_ends():
    older, newer = (
        {person.data_id: digest(person) for person in read(LISTS / name).persons} for name in EDITIONS
    )
    assert (len(newer.keys() - older.keys()), len(older.keys() - newer.keys())) == (4, 6)
    assert sum(older[data_id] != newer[data_id] for data_id in older.keys() & newer.keys()) == 53
