"""Travellers sampled: each once, as many as may be held, by a share that is known."""

import json
import os
import random
from datetime import UTC, datetime
from statistics import mean

import pytest

from app.border.breadth.domain import Sample, SupposedMeasure, bound, count, position_of
from app.border.checks.domain import Candidate, find_match
from app.border.checks.parsing import parse_stored
from app.border.checks.traveller import Traveller
from app.identity.births import Birth
from app.kit.ids import first_id, new_id
from app.matching.policy import DEFAULT
from app.register.entries.answer import Measured
from app.register.entries.domain import Entry, Measure
from app.register.entries.names import index as name_keys
from app.register.entries.subjects import Alias, Document, Subject
from bench.crowds import birth, by_frequency
from bench.registers import entry_of

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
TODAY = NOW.date()


def asked(number: int, name: str = "Budi Santoso", born: str = "1970-05-17") -> tuple[str, Traveller]:
    """A question, and who it is about."""
    question = json.dumps(
        {
            "direction": "exit",
            "document": {"number": f"B{number:07d}", "issuing_state": "IDN"},
            "person": {"name": name, "birth_date": born},
        }
    )
    return question, read(question)


def read(question: str) -> Traveller:
    """Who a question is about."""
    parsed = parse_stored(question, NOW)
    assert parsed is not None
    return parsed.traveller


def draw(sample: Sample, hashed: bytes, number: int = 1, name: str = "Budi Santoso") -> None:
    """Let a sample know of a check, as the loop does."""
    question, traveller = asked(number, name)
    check_id = new_id("chk", NOW)
    if not sample.needs_no_draw(hashed, "exit", question, check_id):
        sample.draw(hashed, "exit", question, check_id, traveller)


def whole(most: int = 1000) -> Sample:
    """A sample of everybody, so far."""
    sample = Sample(most)
    sample.share = 1.0
    return sample


def person(*names: str, born: Birth | None = None) -> Subject:
    """A subject of some names, whose birth date hardly says anything."""
    return Subject(
        full_name=names[0],
        aliases=tuple(Alias(name) for name in names[1:]),
        birth=born or Birth(from_="1930", to="2010"),
        nationalities=("IDN",),
        documents=(Document("passport", "X7777777", "IDN"),),
    )


def listing(subject: Subject, measure: Measure = Measure.PREVENTION) -> Entry:
    """An entry against somebody, in force."""
    return entry_of(1, NOW, lambda _: subject).replace(measure=measure)


def found(sample: Sample, entry: Entry) -> set[bytes]:
    """Whom an entry would have stopped."""
    listed = name_keys.listed(entry.subject)
    supposed = SupposedMeasure(Measured.of(entry, NOW), listed, DEFAULT)
    *_, counted = count(sample.list_similar(listed), supposed, TODAY, 10_000)
    return counted.found


def test_a_hash_lies_where_its_first_bytes_say_and_a_bound_parts_those_below_from_the_others() -> None:
    assert position_of(bytes(32)) == 0
    assert position_of(b"\x80" + bytes(31)) == 0.5
    assert 0.999 < position_of(b"\xff" * 32) <= 1
    assert bound(1.0) is None
    half = bound(0.5)
    assert half is not None
    assert b"\x7f" + b"\xff" * 31 < half < b"\x80" + bytes(31)


def test_whoever_is_asked_about_again_is_held_once_and_in_the_newest_words() -> None:
    sample = whole()
    hashed = os.urandom(32)
    for name, day in (("Budi Santoso", 1), ("Budi Santoso", 2), ("Wiralodra Tandirerung", 3)):
        question, traveller = asked(1, name)
        check_id = new_id("chk", datetime(2026, 11, day, tzinfo=UTC))
        assert sample.needs_no_draw(hashed, "exit", question, check_id) is (day == 2)
        sample.draw(hashed, "exit", question, check_id, traveller)
    assert sample.size == 1
    assert found(sample, listing(person("Budi Santoso"))) == set()
    assert found(sample, listing(person("Wiralodra Tandirerung"))) == {hashed}


def test_an_older_question_takes_no_newer_ones_place() -> None:
    sample, hashed = whole(), os.urandom(32)
    draw(sample, hashed, name="Wiralodra Tandirerung")
    question, traveller = asked(1, "Budi Santoso")
    sample.draw(hashed, "exit", question, first_id("chk", datetime(2026, 11, 1, tzinfo=UTC)), traveller)
    assert found(sample, listing(person("Wiralodra Tandirerung"))) == {hashed}


def test_of_too_many_a_few_are_removed_and_the_others_represent_all() -> None:
    sample = whole(most=100)
    hashes = [os.urandom(32) for _ in range(1000)]
    for number, hashed in enumerate(hashes):
        draw(sample, hashed, number)
    assert 98 <= sample.size <= 100
    assert sample.size == sum(position_of(hashed) < sample.share for hashed in hashes)
    assert sample.share == min(position_of(h) for h in hashes if position_of(h) >= sample.share)
    assert found(sample, listing(person("Budi Santoso"))) == {
        h for h in hashes if position_of(h) < sample.share
    }


def test_who_is_gone_leaves_the_index_too() -> None:
    sample = whole()
    for number in range(50):
        draw(sample, os.urandom(32), number)
    sample.forget_before(first_id("chk", datetime(2026, 11, 24, tzinfo=UTC)))
    assert (sample.size, sample.oldest) == (0, None)
    assert found(sample, listing(person("Budi Santoso"))) == set()
    for number in range(50):
        draw(sample, os.urandom(32), number, "Wiralodra Tandirerung")
    held = {id(each) for index in (sample._named, sample._born) for some in index.values() for each in some}
    assert len(held) == sample.size == 50


def test_a_thinned_sample_that_has_run_dry_is_to_be_drawn_anew() -> None:
    sample = whole(most=100)
    assert not sample.is_depleted
    for number in range(300):
        draw(sample, os.urandom(32), number)
    assert not sample.is_depleted
    sample.forget_before(first_id("chk", datetime(2026, 11, 24, tzinfo=UTC)))
    assert sample.is_depleted


def test_what_was_counted_up_to_a_place_stands_for_the_rest() -> None:
    sample = whole(most=5000)
    for number in range(2000):
        draw(sample, os.urandom(32), number, "Budi Santoso" if number % 4 == 0 else "Wiralodra Tandirerung")
    entry = listing(person("Budi Santoso"))
    listed = name_keys.listed(entry.subject)
    supposed = SupposedMeasure(Measured.of(entry, NOW), listed, DEFAULT)
    *_, cut = count(sample.list_similar(listed), supposed, TODAY, 100)
    assert len(cut.found) == 100
    assert cut.judged_to is not None
    assert 350 < 100 / cut.judged_to < 700
    *_, all_ = count(sample.list_similar(listed), supposed, TODAY, 10_000)
    assert (len(all_.found), all_.judged_to) == (500, None)


@pytest.mark.parametrize("measure", list(Measure))
def test_of_a_crowd_as_many_are_found_as_checks_would_stop(measure: Measure) -> None:
    """Held against the function that answers checks, of names as frequent as travellers'."""
    chance = random.Random(11)
    name = by_frequency()
    sample, crowd = whole(most=10_000), {}
    borne = [name(chance) for _ in range(1200)]
    for number, mine in enumerate(borne):
        question, traveller = asked(number, mine, birth(chance).date or "")
        hashed = number.to_bytes(32)
        crowd[hashed] = traveller
        sample.draw(hashed, "exit", question, new_id("chk", NOW), traveller)
    shares = []
    for _ in range(4):
        entry = listing(person(*chance.sample(borne, 12)), measure)
        candidate = Candidate(entry, name_keys.listed(entry.subject))
        matches = {h: find_match("exit", t, candidate, DEFAULT, NOW) for h, t in crowd.items()}
        stopped = {h for h, match in matches.items() if match is not None and match.outcome != "clear"}
        mine = found(sample, entry)
        assert mine <= stopped
        if stopped:
            shares.append(len(mine) / len(stopped))
    if measure is Measure.DETERRENCE:
        assert shares == [], "an entry ban stops nobody who leaves"
    else:
        assert mean(shares) > 0.8


def test_the_subject_by_any_of_their_numbers_is_not_counted() -> None:
    sample, entry = whole(), listing(person("Budi Santoso"))
    question, traveller = asked(7_777_777)
    assert traveller.papers[0].number == "B7777777"
    sample.draw(os.urandom(32), "exit", question, new_id("chk", NOW), traveller)
    assert len(found(sample, entry)) == 1
    own = question.replace("B7777777", "x-777 7777")
    whole_sample = whole()
    whole_sample.draw(os.urandom(32), "exit", own, new_id("chk", NOW), read(own))
    assert found(whole_sample, entry) == set()
