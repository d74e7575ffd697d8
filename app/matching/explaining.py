"""Explanation, step by step in both languages, of why two persons match by name and birth date or do not; for auditors.

Nothing is decided here: every step repeats a step of the check and states its result. The sentences contain the words
and numbers that were compared, so only readers with access to the person may see a step.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

import msgspec

from app.identity.births import Birth, birth_to_json
from app.identity.spellings import MAX_WORDS, LeftOut, Spelling, left_out, spellings
from app.matching.alignment import NOTHING, Alignment, align
from app.matching.assessment import Assessment
from app.matching.births import compare_births
from app.matching.keys import KeyParts, key_query, parts_of_keys, stored_days, stored_keys
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import MatchPolicy
from app.matching.retrieval import Index
from app.matching.texts import TEXTS
from app.matching.tiers import EXACT, Demand, Tier, examined, probable_demand

Side = Literal["traveller", "listed"]
Source = Literal["typed", "zone", "full_name", "alias_good", "alias_low"]
"""The source of a name."""


class Step(msgspec.Struct, frozen=True):
    """One step of an explanation.

    Attributes:
        step: the name of the step.
        result: the result in one word.
        text_id: the step as an Indonesian sentence.
        text_en: the step as an English sentence.
        details: the facts behind the sentence: words, numbers, thresholds.
    """

    step: str
    result: str
    text_id: str
    text_en: str
    details: dict[str, Any] = {}


_SIDES: Final[dict[Side, tuple[str, str]]] = {
    "traveller": ("Pelintas", "Traveller"),
    "listed": ("Terdaftar", "Listed"),
}
_SOURCES: Final[dict[Source, tuple[str, str]]] = {
    "typed": ("diketik", "as typed"),
    "zone": ("dari MRZ", "from the zone"),
    "full_name": ("nama lengkap", "full name"),
    "alias_good": ("alias", "alias"),
    "alias_low": ("alias berkualitas rendah", "alias of low quality"),
}
_WHY_LEFT_OUT: Final[dict[LeftOut, tuple[str, str]]] = {
    "filler": ("pengisi kolom", "fills the field"),
    "title": ("gelar", "title or degree"),
    "lineage": ("bin atau binti", "son or daughter of"),
    "servant": ("diingat pada kata sesudahnya", "remembered on the word after it"),
    "article": ("kata sandang", "article"),
}
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "pair": ("dua kata", "two words"),
    "word": ("kata yang langka, atau seluruh nama", "a rare word, or the whole name"),
    "start": ("satu kata dan awal kata lain", "a word and how another begins"),
    "end": ("satu kata dan akhir kata lain", "a word and how another ends"),
    "starts": ("awal dua kata", "how two words begin"),
    "initial": ("satu kata dan sebuah inisial", "a word and an initial"),
}
_PARTS: Final = {"pair": 2, "word": 1}
"""Number of parts, without the year, of each kind of key that may contain a year."""
_WITH_YEAR: Final = ("dan tahun lahir", "and the year of birth")
_AMONG_UNDATED: Final = (
    "di antara yang tanggal lahirnya tidak diketahui",
    "among those whose day of birth isn't known",
)
_OF_THE_YEAR: Final = (
    "di antara yang hanya diketahui tahun lahirnya, tahun itu",
    "among those of the same year whose day of birth isn't known",
)
_QUANTITIES: Final = {
    "likeness": ("kemiripan", "likeness"),
    "name_bits": ("bit dari nama", "bits of the names"),
    "word_bits": ("bit dari kata yang paling langka", "bits of the rarest word"),
    "bits": ("bit seluruhnya", "bits in all"),
}
_TIERS: Final[dict[Tier, tuple[str, str]]] = {
    "stop": ("rujuk ke penyelia", "refer to the supervisor"),
    "review": ("dicatat untuk auditor, tidak ada yang menunggu", "noted for auditors, nobody waits"),
    "none": ("orang lain", "another person"),
}
_IT: Final = "entry"
"""Id of the listed person in an index that contains this person only."""


def normalised(side: Side, source: Source, name: str, *, cut: bool = False) -> Step:
    """Return the step that explains how a name is normalised: which words are compared, and which are left out.

    Args:
        side: whether the name is the traveller's or the listed person's.
        source: the source of the name.
        name: the name as written in the source.
        cut: whether the name filled its field, so that the end of the last word and further words may be missing.
    """
    forms = spellings(name, cut=cut)
    dropped = left_out(name)
    origin_id, origin_en = (
        f"{side_text}, {where}" for side_text, where in zip(_SIDES[side], _SOURCES[source], strict=True)
    )
    words = ", ".join(word.text for word in forms[0].words) if forms else ""
    text_id = f"{origin_id}: nama dibaca sebagai {words or 'kosong: tidak ada huruf atau angka'}."
    text_en = f"{origin_en}: the name is read as {words or 'nothing: it has no letter or digit'}."
    if dropped:
        text_id += f" Dilewati: {', '.join(f'{word} ({_WHY_LEFT_OUT[why][0]})' for word, why in dropped)}."
        text_en += f" Left out: {', '.join(f'{word} ({_WHY_LEFT_OUT[why][1]})' for word, why in dropped)}."
    if forms and len(forms[0].words) == MAX_WORDS:
        text_id += f" Paling banyak {MAX_WORDS} kata dibandingkan."
        text_en += f" At most {MAX_WORDS} words are compared."
    return Step(
        "name",
        "ready" if forms else "empty",
        text_id,
        text_en,
        {
            "side": side,
            "source": source,
            "given": name,
            "forms": list(map(_form, forms)),
            "left_out": [{"word": word, "why": why} for word, why in dropped],
        },
    )


def _form(spelled: Spelling) -> dict[str, Any]:
    return {
        "words": [
            {
                "text": word.text,
                "sound": word.heard,
                "code": word.code,
                "bits": round(word.bits, 2),
                "servant": word.servant,
                "without_article": word.bare or None,
                "without_vowels": word.vowelless,
            }
            for word in spelled.words
        ],
        "bits": round(spelled.bits, 2),
        "cut": spelled.cut,
    }


def retrieved(queried: QueriedPerson, listed: KnownPerson) -> tuple[list[Step], bool]:
    """Return the steps that explain by which keys of name and birth a check finds the listed person.

    The second value says whether a check finds the person by these keys.
    """
    if not queried.names:
        text_id, text_en = (
            "Tidak ada nama untuk dicari.",
            "There is no name to look for.",
        )
        return [Step("name_keys", "no_name", text_id, text_en)], False
    sought = key_query(queried)
    spelled = (*listed.names, *listed.weak)
    index: Index[str] = Index({}, {})
    stored = stored_keys(spelled, listed.births)
    index.add(_IT, stored, stored_days(spelled, listed.births))
    found, unlike = index.weigh(sought)
    made = parts_of_keys(queried)
    steps = [_key_step(made[key], sought.keys[key]) for key in stored if key in sought.keys]
    days = [bits for day, bits in sought.days.items() if day in index.days]
    if days:
        steps.append(_day_step(max(days), unlike=_IT in unlike, show_words=bool(steps)))
    bits, enough = found.get(_IT, 0.0), _IT in index.rank(sought, 1).ids
    in_vain = dict.fromkeys(
        _words_of_key(KeyParts(made[key].parts)) for key in sought.keys if key not in stored
    )
    vain_id, vain_en = ("; ".join(words[i] for words in in_vain) or "-" for i in (0, 1))
    steps.append(
        Step(
            "name_keys",
            "found" if enough else "not_found",
            f"Kunci nama dan tanggal lahir yang sama: {bits:.1f} bit; diperlukan {sought.least:.1f}: "
            f"{'ditemukan' if enough else 'tidak ditemukan'}. Juga dicari, tidak sama: {vain_id}.",
            f"Keys of name and birth in common: {bits:.1f} bits; {sought.least:.1f} are needed: "
            f"{'found' if enough else 'not found'}. Also looked up, in vain: {vain_en}.",
            {"bits": round(bits, 2), "least": sought.least, "shared": len(steps)},
        )
    )
    return steps, enough


def _key_step(made: KeyParts, bits: float) -> Step:
    kind, parts, year = _key_parts(made)
    text_id, text_en = _words_of_key(made)
    return Step(
        "name_key",
        kind,
        f"Kunci sama: {text_id} ({bits:.1f} bit).",
        f"A key in common: {text_en} ({bits:.1f} bits).",
        {
            "made_of": parts,
            "year": year or (int(made.place) if made.place else None),
            "among": "everybody" if made.place is None else "undated",
            "bits": round(bits, 2),
        },
    )


def _key_parts(made: KeyParts) -> tuple[str, list[str], int | None]:
    """Return a key's kind, the words or ends it is made from, and its year of birth."""
    kind, *parts = made.parts
    year = int(parts.pop()) if len(parts) > _PARTS.get(kind, len(parts)) else None
    return kind, parts, year


def _words_of_key(made: KeyParts) -> tuple[str, str]:
    kind, _, year = _key_parts(made)
    text_id, text_en = (
        " ".join(
            filter(
                None,
                (
                    text,
                    _WITH_YEAR[i] if year else "",
                    "" if made.place is None else _OF_THE_YEAR[i] if made.place else _AMONG_UNDATED[i],
                ),
            )
        )
        for i, text in enumerate(_KINDS[kind])
    )
    return text_id, text_en


def _day_step(bits: float, *, unlike: bool, show_words: bool) -> Step:
    if unlike:
        result = "unlike"
        text_id = "Hari lahir sama, tetapi sketsa namanya tidak mirip; tidak dibandingkan."
        text_en = (
            "Born on the same day, but the sketches of the names do not resemble each other: not compared."
        )
    else:
        result = "with_words" if show_words else "resembling"
        text_id = f"Kunci sama: hari lahir, dan nama yang mirip sketsanya atau kuncinya ({bits:.1f} bit)."
        text_en = (
            f"A key in common: day of birth, and a resembling sketch or key of the name ({bits:.1f} bits)."
        )
    return Step("birth_key", result, text_id, text_en, {"bits": 0.0 if unlike else round(bits, 2)})


def weighed(
    queried: QueriedPerson, listed: KnownPerson, found: Assessment, policy: MatchPolicy
) -> Iterator[Step]:
    """Yield the steps that explain the comparison of names and births, and the thresholds that led to the tier.

    `found` is the result of `assess` for these persons and this policy.
    """
    yield from _aligned(queried, (*listed.names, *listed.weak), found)
    if listed.weak and found.births.nearness not in EXACT:
        yield Step(
            "weak_aliases",
            "left_aside",
            "Alias berkualitas rendah tidak dibandingkan: tanggal lahir tidak sama.",
            "Aliases of low quality are not compared: the day of birth is not the same.",
        )
    yield _births(queried, listed.births, found)
    against = sum(cost for _, cost in found.lowered)
    yield Step(
        "evidence",
        "summed",
        f"Jumlah: nama {found.alignment.bits:.1f} + tanggal lahir {found.births.bits:.1f} - {against:.1f} = "
        f"{found.bits:.1f} bit; kemiripan nama {found.likeness:.2f}; skor {found.score:.2f}.",
        f"The sum: names {found.alignment.bits:.1f} + birth date {found.births.bits:.1f} - {against:.1f} = "
        f"{found.bits:.1f} bits; likeness of the names {found.likeness:.2f}; score {found.score:.2f}.",
        {"bits": round(found.bits, 2), "likeness": round(found.likeness, 3), "score": found.score},
    )
    yield from _thresholds(found, policy)


def _aligned(queried: QueriedPerson, names: Iterable[Spelling], found: Assessment) -> Iterator[Step]:
    best = found.alignment
    if best == NOTHING:
        text_id, text_en = "Tidak ada kata nama yang cocok.", "No word of the names agrees."
        yield Step("names", "nothing_in_common", text_id, text_en)
        return
    mine, theirs = next(
        (mine, theirs) for theirs in names for mine in queried.names if align(mine, theirs) == best
    )
    yield _side_by_side(mine, theirs, best, weak=found.weak)
    for piece in found.reasons():
        text_id, text_en = piece.texts
        if piece.feature == "birth_date":
            continue  # reported with every date that was compared
        words = " / ".join(filter(None, (piece.queried, piece.listed)))
        prefix = f"{words}: " if words else ""
        yield Step(
            piece.feature,
            piece.result,
            f"{prefix}{text_id} ({piece.bits:+.1f} bit)",
            f"{prefix}{text_en} ({piece.bits:+.1f} bits)",
            {"asked": piece.queried or None, "listed": piece.listed or None, "bits": round(piece.bits, 2)},
        )


def _side_by_side(mine: Spelling, theirs: Spelling, best: Alignment, *, weak: bool) -> Step:
    queried, listed = (" ".join(word.text for word in each.words) for each in (mine, theirs))
    return Step(
        "names",
        "weak_alias" if weak else "aligned",
        f"Nama yang paling cocok: {queried} dan {listed}; kemiripan {best.likeness:.2f}, {best.bits:.1f} bit.",
        f"The names that agree best: {queried} and {listed}; likeness {best.likeness:.2f}, {best.bits:.1f} bits.",
        {
            "asked": queried,
            "listed": listed,
            "likeness": round(best.likeness, 3),
            "bits": round(best.bits, 2),
            "conflict": round(best.conflict, 2),
            "absent": round(best.absent, 2),
        },
    )


def _births(queried: QueriedPerson, listed: tuple[Birth, ...], found: Assessment) -> Step:
    text_id, text_en = TEXTS["birth_date", found.births.nearness]
    compared = [
        {"asked": birth_to_json(mine), "listed": birth_to_json(birth), "result": each.nearness}
        for mine in (*queried.births, *queried.other_births)
        for birth in listed
        for each in (compare_births(birth, mine),)
    ]
    bits = found.births.bits
    return Step(
        "birth_date",
        found.births.nearness,
        f"{text_id} ({bits:+.1f} bit)",
        f"{text_en} ({bits:+.1f} bits)",
        {"bits": round(bits, 2), "compared": compared},
    )


def _thresholds(found: Assessment, policy: MatchPolicy) -> Iterator[Step]:
    """Explain each clause that applies to the nearness of the birth dates, then the tier."""
    if found.alignment.pairs:
        for tier, demands in examined(found.alignment, found.births.nearness, found.bits, policy):
            yield _demanded(tier, demands)
    text_id, text_en = _TIERS[found.tier]
    yield Step(
        "tier",
        found.tier,
        f"Menurut nama dan tanggal lahir: {text_id}.",
        f"By name and birth date: {text_en}.",
        {"level": found.level},
    )
    if found.tier == "stop":
        probable = probable_demand(found.bits, policy)
        yield _demanded("probable", (probable,), also_needs_the_day=found.births.nearness not in EXACT)


def _demanded(what: str, demands: tuple[Demand, ...], *, also_needs_the_day: bool = False) -> Step:
    met = all(demand.met for demand in demands) and not also_needs_the_day
    sentences = [
        "; ".join(
            f"{_QUANTITIES[demand.quantity][i]} {demand.found:.2f} {'>=' if demand.met else '<'} {demand.threshold} "
            f"{demand.least:g}"
            for demand in demands
        )
        for i in (0, 1)
    ]
    if also_needs_the_day:
        sentences = [f"{sentences[0]}; hari lahir tidak sama", f"{sentences[1]}; not the same day of birth"]
    return Step(
        "threshold",
        "met" if met else "missed",
        f"Untuk {what}: {sentences[0]}: {'terpenuhi' if met else 'tidak terpenuhi'}.",
        f"For {what}: {sentences[1]}: {'met' if met else 'missed'}.",
        {
            "leads_to": what,
            "demands": [
                {
                    "threshold": demand.threshold,
                    "quantity": demand.quantity,
                    "least": demand.least,
                    "found": round(demand.found, 3),
                    "met": demand.met,
                }
                for demand in demands
            ],
        },
    )
