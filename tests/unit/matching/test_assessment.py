"""What evidence comes to: who is stopped, who is noted, who walks on."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.births import Birth
from app.identity.mrz import parse
from app.matching.assessment import assess, is_reported
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.texts import TEXTS
from tests.unit.matching.people import TODAY, asked, listed

NAMES = st.sampled_from(
    [
        "Muhammad",
        "Budi Santoso",
        "Rangkuti Wenas",
        "Siti Nur Aminah",
        "Damanik",
        "M. Rangkuti",
        "عبد الله",
        "",
        "😀",
    ]
)
BIRTHS = st.sampled_from(
    ["", "1970", "1970-05", "1970-05-17", "1970-05-07", "1971-05-17", "1990-12-24", "1970-01-01"]
)


@pytest.mark.parametrize(
    ("name", "born", "listed_name", "listed_born", "tier"),
    [
        ("Budi Santoso", "1970-05-17", "Boedi Santosa", "1970-05-17", "stop"),
        ("Budi Santoso", "1970-05-07", "Budi Santoso", "1970-07-05", "stop"),
        ("Budi Santoso", "1970-05-17", "Budi Santoso", "1970", "stop"),
        ("Budi Santoso", "1970-05-17", "Budi Santoso", "", "stop"),
        ("Rangkuti Wenas", "1970-05-17", "Rangkuti Damanik", "1970-05-17", "review"),
        ("Budi Santoso", "1970-05-17", "Budi Santoso", "1985-11-28", "none"),
        ("Budi Santoso", "1970-05-17", "Budi Santoso", "1970-11-28", "none"),
        ("Tuhumury Lekatompessy Wenas", "1970-05-17", "Tuhumury Lekatompessy Wenas", "1985-11-28", "review"),
        ("Budi Santoso", "1970-05-17", "Agus Hermawan", "1970-05-17", "none"),
        ("Muhammad", "1970-05-17", "Muhammad", "1970-05-17", "stop"),
        ("Muhammad", "1970-05-17", "Muhammad", "1970", "none"),
        ("Muhammad", "1970-05-17", "Muhammad", "", "none"),
        ("Muhammad Fauzan", "1970-05-17", "Muhammad Iqbal", "1970-05-17", "none"),
    ],
)
def test_the_tiers(name: str, born: str, listed_name: str, listed_born: str, tier: str):
    found = assess(asked(name, born), listed(listed_name, listed_born))
    assert found.tier == tier
    assert (found.level is None) is (tier == "none")


def test_strong_evidence_is_probable_and_no_level_is_ever_exact():
    found = assess(asked("Tuhumury Rangkuti", "1970-05-17"), listed("Tuhumury Rangkuti", "1970-05-17"))
    assert found.level == "probable"
    assert (
        assess(asked("Budi Santoso", "1970-05-17"), listed("Budi Santoso", "1970-05-17")).level == "possible"
    )


def test_a_weak_alias_counts_only_with_the_birth_date():
    suspect = listed("Damanik Wenas", "1970-05-17", weak=["Rangkuti Tuhumury"])
    with_birth = assess(asked("Rangkuti Tuhumury", "1970-05-17"), suspect)
    assert (with_birth.tier, with_birth.weak) == ("stop", True)
    assert ("alias", "weak") in {(reason.feature, reason.result) for reason in with_birth.reasons()}
    assert assess(asked("Rangkuti Tuhumury", ""), suspect).tier == "none"
    assert assess(asked("Rangkuti Tuhumury", "1970-11-28"), suspect).tier == "none"


def test_sex_and_nationality_lower_but_never_veto():
    suspect = KnownPerson.of(
        ["Tuhumury Rangkuti"], births=[Birth(date="1970-05-17")], sex="female", nationalities=["MYS"]
    )
    same = asked("Tuhumury Rangkuti", "1970-05-17")
    other = QueriedPerson(same.names, same.births, sex="male", nationalities=("IDN",))
    plain, lowered = assess(same, suspect), assess(other, suspect)
    assert lowered.bits == plain.bits - DEFAULT.other_sex_bits - DEFAULT.other_nationality_bits
    assert lowered.tier == "stop"
    both = QueriedPerson(same.names, same.births, sex="unspecified", nationalities=("IDN", "MYS"))
    assert assess(both, suspect).bits == plain.bits


def test_the_best_of_all_names_counts():
    suspect = KnownPerson.of(["Agus Hermawan", "Rangkuti Wenas"], births=[Birth(date="1970-05-17")])
    assert assess(asked("Rangkuti Wenas", "1970-05-17"), suspect).tier == "stop"


@pytest.mark.parametrize(
    ("written", "full_name"),
    [
        ("Muhammad Jamil", "Muhammad Jamil Abd al-Rahim Ahmad al-Kashif"),
        ("Plessner", "Bambang Plessner Tuhumury"),
        ("Abdul Karim Hakim", "Mullah Abdul Karim Rangkuti Hakim Wali Mohammad"),
    ],
)
def test_a_name_that_is_all_in_a_longer_listed_one_stops_without_a_birth_date(written: str, full_name: str):
    assert assess(asked(written), KnownPerson.of([full_name])).tier == "stop"
    assert assess(asked(f"{written} Suwandaru Kaonang"), KnownPerson.of([full_name])).tier == "none"


def test_a_title_left_over_is_absent_and_no_contradiction():
    found = assess(asked("Mullah Rangkuti", "1970-05-17"), listed("Rangkuti Wenas", "1970-05-17"))
    assert [piece.result for piece in found.reasons() if piece.feature == "name_word"] == ["equal", "absent"]


def test_thresholds_do_what_they_say():
    traveller, suspect = asked("Budi Santoso", "1970-05-17"), listed("Budi Santosa Wibowo", "1970-05-17")
    strict = {
        f"{what}_bits": 60 for what in ("stop", "word", "equal", "part", "contained", "within", "compatible")
    }
    assert assess(traveller, suspect).tier == "stop"
    assert assess(traveller, suspect, MatchPolicy(**strict)).tier == "review"
    assert assess(traveller, suspect, MatchPolicy(**strict, review_bits=60)).tier == "none"


def test_a_truncated_zone_finds_the_whole_name():
    zone = "P<IDNLUMBANTOBING<<SRI<KUSUMANINGTYAS<WAHYUN\nX123456<<7IDN7005175F3112319<<<<<<<<<<<<<<06"
    mrz = parse(zone, TODAY)
    assert mrz.name_truncated
    traveller = QueriedPerson.of([], mrz=mrz)
    found = assess(traveller, listed("Sri Kusumaningtyas Wahyuningrum Anggita Lumbantobing", "1970-05-17"))
    assert found.tier == "stop"
    assert "cut_off" in {reason.result for reason in found.reasons()}


@given(NAMES, BIRTHS, NAMES, BIRTHS)
def test_every_reason_has_its_sentences_and_all_add_up(
    name: str, born: str, listed_name: str, listed_born: str
):
    found = assess(asked(name, born), listed(listed_name, listed_born))
    assert sum(reason.bits for reason in found.reasons()) == pytest.approx(found.bits)
    assert 0.0 <= found.score <= 1.0
    for reason in found.reasons():
        text_id, text_en = reason.texts
        assert text_id.endswith(".")
        assert text_en.endswith(".")


@given(NAMES, NAMES, NAMES)
def test_another_alias_never_makes_a_match_weaker(name: str, listed_name: str, alias: str):
    born = [Birth(date="1970-05-17")]
    traveller = asked(name, "1970-05-17")
    tiers = ("none", "review", "stop")
    alone = assess(traveller, KnownPerson.of([listed_name], births=born))
    more = assess(traveller, KnownPerson.of([listed_name, alias], births=born))
    assert tiers.index(more.tier) >= tiers.index(alone.tier)


def test_no_sentence_repeats_a_name_and_each_is_given_in_both_languages():
    assert all(text_id and text_en and text_id != text_en for text_id, text_en in TEXTS.values())
    assert not any("{" in text for texts in TEXTS.values() for text in texts)


@settings(max_examples=500)
@given(asked_name=NAMES, listed_name=NAMES, born=BIRTHS, listed_born=BIRTHS, weak=st.lists(NAMES, max_size=1))
def test_what_is_reported_is_what_an_assessment_has_a_tier_for(
    asked_name: str, listed_name: str, born: str, listed_born: str, weak: list[str]
):
    traveller, suspect = asked(asked_name, born), listed(listed_name, listed_born, weak)
    for policy in (DEFAULT, MatchPolicy(contradicted_bits=5, near_year_bits=5, equal_likeness=0.5)):
        reported = is_reported(traveller, suspect.births, lambda: suspect, policy)
        assert reported is (assess(traveller, suspect, policy).tier != "none")


def test_a_common_name_beside_a_contradicting_birth_is_not_even_read():
    def read() -> KnownPerson:
        raise AssertionError("names share at most the bits of the traveller's own")

    assert not is_reported(asked("Budi Santoso", "1970-05-17"), (Birth(date="1990-12-24"),), read)
    assert not is_reported(asked("Budi Santoso", "1970-05-17"), (Birth(date="1971-12-24"),), read)
    with pytest.raises(AssertionError):
        is_reported(asked("Budi Santoso", "1970-05-17"), (Birth(date="1970-05-17"),), read)
