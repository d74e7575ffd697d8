"""Evidence that agrees never makes an answer milder: birth dates, names, sex and nationality; through the keys too."""

import random
from datetime import date

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.births import Birth
from app.matching.alignment import Alignment, Pair
from app.matching.assessment import assess
from app.matching.births import Nearness, best_birth, compare_births
from app.matching.keys import key_query
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.tiers import Tier, tier_of
from tests.unit.matching.people import WORDS, index_of

AGREEING: tuple[Nearness, ...] = ("unknown", "compatible", "equal")
"""How two birth dates compare where nothing in them disagrees: from saying nothing to the very day."""

RISING: tuple[Tier, ...] = ("none", "review", "stop")
RARE = ("Rangkuti", "Lekatompessy", "Tuhumury", "Suharyadi", "Plessner", "Tawfiq", "Zubaydah", "Kaonang")
NAMES = st.lists(st.sampled_from((*RARE, *WORDS)), min_size=1, max_size=4, unique=True)
DAYS = st.dates(date(1930, 1, 1), date(2010, 12, 31))
PRECISIONS = ("", "YYYY", "YYYY-MM", "YYYY-MM-DD")
SHARES, BITS = st.floats(0, 1), st.floats(0, 60)
POLICIES = st.fixed_dictionaries(
    {
        each.name: SHARES if each.name.endswith("likeness") else BITS
        for each in msgspec.structs.fields(MatchPolicy)
        if each.name != "most_candidates"
    }
).map(lambda thresholds: MatchPolicy(**thresholds))
ALIGNMENTS = st.builds(
    lambda likeness, bits, words, left, conflict: Alignment(
        likeness,
        bits,
        tuple(Pair("A", "A", "equal", worth) for worth in words),
        tuple((side, "B") for side in left),
        conflict if left else 0.0,
        0.0,
    ),
    SHARES,
    st.floats(-20, 60),
    st.lists(st.floats(-5, 20), min_size=1, max_size=3),
    st.lists(st.sampled_from(("asked", "listed")), max_size=2),
    st.sampled_from((0.0, 5.0)),
)


class Question(msgspec.Struct, frozen=True):
    """What is known of a traveller who is the listed person; each member may grow."""

    spelled: tuple[str, ...]
    precision: int = 0
    sex: bool = False
    nationality: bool = False

    def asked(self, born: date) -> QueriedPerson:
        """The traveller, made ready."""
        return QueriedPerson.of(self.spelled, known(born, self.precision), *self._said())

    def _said(self) -> tuple[str | None, tuple[str, ...]]:
        return "male" if self.sex else None, ("MYS",) if self.nationality else ()

    def grown(self, names: tuple[str, ...]) -> list["Question"]:
        """Every question that says one thing more."""
        more = [
            msgspec.structs.replace(self, precision=precision)
            for precision in range(self.precision + 1, len(PRECISIONS))
        ]
        more += [msgspec.structs.replace(self, spelled=(*self.spelled, name)) for name in names]
        more.append(msgspec.structs.replace(self, sex=True))
        more.append(msgspec.structs.replace(self, nationality=True))
        return more


def known(born: date, precision: int) -> tuple[Birth, ...]:
    """A birth date as far as it is known."""
    return (Birth(date=born.isoformat()[: len(PRECISIONS[precision])]),) if precision else ()


def disguised(words: list[str], chance: random.Random) -> str:
    """A name as another paper may have it: words left out, added, respelled, mistyped, in another order."""
    said = list(words)
    for _ in range(chance.randrange(3)):
        place = chance.randrange(len(said))
        word = said[place]
        match chance.randrange(4):
            case 0 if len(said) > 1:
                del said[place]
            case 1:
                said.insert(place, chance.choice((*RARE, *WORDS)))
            case 2:
                said[place] = word.replace("u", "oe").replace("y", "j").replace("f", "p").replace("q", "k")
            case _ if len(word) > 3:
                cut = chance.randrange(1, len(word) - 1)
                said[place] = word[:cut] + word[cut + 1 :]
    chance.shuffle(said)
    return " ".join(said)


def answer(traveller: QueriedPerson, suspect: KnownPerson) -> int:
    """What a check comes to, as a rank: who isn't found by keys is nobody."""
    found = index_of([("them", suspect)]).rank(key_query(traveller), DEFAULT.most_candidates).ids
    return RISING.index(assess(traveller, suspect).tier) if found else 0


@given(ALIGNMENTS, BITS, st.lists(BITS, min_size=3, max_size=3).map(sorted), POLICIES | st.just(DEFAULT))
def test_no_policy_makes_an_answer_milder_by_a_birth_date_that_agrees(
    names: Alignment, against: float, rising: list[float], policy: MatchPolicy
):
    tiers = [
        RISING.index(tier_of(names, nearness, names.bits - against + bits, policy))
        for nearness, bits in zip(AGREEING, rising, strict=True)
    ]
    stopped = [tier == RISING.index("stop") for tier in tiers]
    assert stopped == sorted(stopped)


@given(
    NAMES,
    NAMES,
    DAYS,
    st.integers(0, 3),
    st.integers(0, 3),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
@settings(max_examples=400)
def test_no_evidence_that_agrees_makes_an_answer_milder(
    full_name: list[str],
    alias: list[str],
    born: date,
    listed_precision: int,
    precision: int,
    sex: bool,  # noqa: FBT001
    nationality: bool,  # noqa: FBT001
    chance: random.Random,
):
    names = (" ".join(full_name), " ".join(alias))
    suspect = KnownPerson.of(names, (), known(born, listed_precision), "male", ["MYS"])
    question = Question((disguised(full_name, chance),), precision, sex, nationality)
    before = answer(question.asked(born), suspect)
    for more in question.grown(names):
        assert answer(more.asked(born), suspect) >= before, more


@given(DAYS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_a_paper_that_says_less_takes_nothing_from_one_that_says_more(
    born: date, listed: int, one: int, other: int
):
    (theirs,) = known(born, listed)
    asked = (*known(born, one), *known(born, other))
    assert best_birth((theirs,), asked) == compare_births(theirs, asked[1] if other > one else asked[0])


@pytest.mark.parametrize(
    ("spelled", "names", "born"),
    [
        ("Tawfiq Rifqi", ["Taufik Rifki"], "1974-08-29"),
        ("Tawfiq, Rifqi", ["Taufik Rifki"], "1974"),
        ("Hafiz Mohammad Sayid", ["Hafiz Muhammad Saeed Ashraf"], "1950-06-05"),
        ("Malek Ruben", ["Malek Reuben Riak Rengu"], "1960-01-01"),
        ("Hamadoun Koufa", ["Amadou Koufa"], "1958"),
        ("Abdul Baseer", ["Abdul Basir Noorzai"], "1965"),
    ],
)
def test_whom_the_name_stops_the_birth_date_stops_too(spelled: str, names: list[str], born: str):
    suspect = KnownPerson.of(names, births=[Birth(date=born)])
    alone = answer(QueriedPerson.of([spelled]), suspect)
    assert answer(QueriedPerson.of([spelled], [Birth(date=born)]), suspect) >= alone


def test_evidence_that_disagrees_may_make_it_milder():
    suspect = KnownPerson.of(["Tawfiq Rangkuti"], births=[Birth(date="1974-08-29")])
    assert answer(QueriedPerson.of(["Tawfiq Rangkuti"]), suspect) == RISING.index("stop")
    assert answer(QueriedPerson.of(["Tawfiq Rangkuti"], [Birth(date="1988-02-03")]), suspect) < RISING.index(
        "stop"
    )


@pytest.mark.parametrize(
    ("spelled", "suspect", "born", "asked_born"),
    [
        # a lone word of 9.7 bits, and an initial beside it; the list doesn't know the birth
        ("Kaonang S", "Kaonang", "", "1958-07-05"),
        # two words that a third of all travellers have, in the other order
        ("Muhammad Ahmad", "Ahmad Muhammad", "", "1958-07-05"),
        ("Muhammad Ahmad", "Ahmad Muhammad", "1958", "1958-07"),
        # two words that have one consonant code
        ("Yunita Indra Hendra Gunawan", "Indra Hendra", "1999-01", "1999-01-24"),
    ],
)
def test_who_is_found_without_a_birth_date_is_found_with_one(
    spelled: str, suspect: str, born: str, asked_born: str
):
    listed = KnownPerson.of([suspect], births=[Birth(date=born)] if born else [])
    assert answer(QueriedPerson.of([spelled]), listed) == RISING.index("stop")
    assert answer(QueriedPerson.of([spelled], [Birth(date=asked_born)]), listed) == RISING.index("stop")


def test_of_several_names_the_gravest_counts_and_the_likest_is_remembered():
    """The common name is the same one and weighs more; the rare names, alike in part, stop."""
    suspect = KnownPerson.of(["Pratama", "Rangkuti Wenas Tuhumury Damanik"])
    assert assess(QueriedPerson.of(["Pratama"]), suspect).tier == "none"
    found = assess(QueriedPerson.of(["Pratama", "Rangkuti Tuhumury Santoso"]), suspect)
    assert (found.tier, found.likest) == ("stop", 1.0)
    assert found.likeness < DEFAULT.similar_likeness
