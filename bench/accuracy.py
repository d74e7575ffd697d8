"""Writes docs/accuracy.md: how well names are matched, beside the figures of other matchers.

    python -m bench.accuracy                  # measures, and writes the report
    python -m bench.accuracy --print          # only prints it

Run it from the root of the repository. The labelled sets lie outside (--data); without them it says so and leaves the
report as it is. Rivals are measured on the same rows where bench.scoring can install them.
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from app.matching.assessment import assess
from app.matching.evaluation import UNREACHABLE, Figures, evaluate_pairs, evaluate_queries
from app.matching.keys import stored_days, stored_keys, wanted
from app.matching.labelled import Pair, read_list, read_pairs, read_queries
from app.matching.persons import Asked, Listed
from app.matching.policy import DEFAULT
from app.matching.retrieval import Index
from bench.crowds import Naming, birth, by_frequency, of_few_words
from bench.processes import ROOT
from bench.scoring import THRESHOLDS, theirs

DATA = ROOT.parent / "shared" / "data" / "names"
REPORT = ROOT / "docs" / "accuracy.md"

_SETS = ("idn_dpr", "un_alias_good", "un_alias_idn", "febrl4", "google_ar2en", "senzing", "nk_name_bench")
_PUBLISHED = {
    "logic-v1": (".99 / .88", ".98 / .47", "1 / .40", ".97 / .81", "1 / .17", ".52 / .38", ".71 / .60"),
    "logic-v2": (".99 / .85", ".99 / .58", "1 / .53", ".97 / .81", "1 / .27", ".67 / .42", ".70 / .80"),
    "name-based": (".94 / .95", ".95 / .80", ".98 / .74", ".96 / .84", "1 / .63", ".58 / .69", ".57 / .85"),
    "ofac": (".45 / .99", ".56 / .97", ".62 / .96", ".77 / .95", "0 / 0", ".34 / .99", ".46 / .94"),
    "regression-v1": (".99 / .72", ".99 / .23", "1 / .11", "1 / .53", "1 / .02", ".59 / .23", ".86 / .31"),
    "rapidfuzz token_set": (
        ".98 / .86",
        ".99 / .52",
        "1 / .47",
        ".96 / .84",
        "1 / .09",
        ".68 / .64",
        ".65 / .77",
    ),
    "rapidfuzz token_sort": (
        "1 / .29",
        ".99 / .29",
        "1 / .32",
        "1 / .80",
        "1 / .09",
        ".68 / .52",
        ".73 / .60",
    ),
    "Metaphone token set": (
        ".99 / .75",
        ".99 / .45",
        "1 / .21",
        "1 / .62",
        "1 / .51",
        ".80 / .58",
        ".86 / .53",
    ),
}
_PUBLISHED_DATED = {"logic-v1": ".77", "logic-v2": ".77", "name-qualified": ".83", "regression-v1": ".93"}

_ENTRIES = 100_000
_TRAVELLERS = 5_000
_MUHAMMADS, _OTHERS = 200, 10_000


def main() -> None:
    options = _options()
    if not (options.data / "pairs.csv").is_file():
        print(
            f"Skipped: the labelled names are not at {options.data} (--data says where); the report stays as it is."
        )
        return
    report = "\n".join(_report(options.data)) + "\n"
    if options.print:
        print(report)
    else:
        REPORT.write_text(report, encoding="utf-8")
        print(f"Wrote {REPORT.relative_to(ROOT)}.")


def _report(data: Path) -> Iterable[str]:
    pairs = read_pairs(data / "pairs.csv")
    bare, dated = (evaluate_pairs(pairs, _untold, names_only=only) for only in (True, False))
    yield _HEAD
    yield from _names_only(pairs, bare)
    yield from _with_births(dated)
    yield from _zones(data)
    yield from _retrieval(data)
    yield from _innocents()
    yield _TAIL


def _names_only(pairs: list[Pair], bare: dict[str, Any]) -> Iterable[str]:
    yield "## Names alone\n\nPrecision / recall. On the same rows, in one run:\n"
    rows = [["**Cekal**", *(_both(bare["sets"][name]) for name in _SETS)]]
    for name, found in theirs(pairs).items():
        rows.append([name, *(_both(figures.as_json()) for figures in _judged(pairs, found["scores"], name))])
    yield _table(["matcher", *_SETS], rows)
    yield "\nOn the whole sets, five times as large, as measured before this project began:\n"
    yield _table(["matcher", *_SETS], [[name, *figures] for name, figures in _PUBLISHED.items()])
    yield ""


def _judged(pairs: list[Pair], scores: Sequence[float], name: str) -> list[Figures]:
    figures = {one: Figures() for one in _SETS}
    for pair, score in zip(pairs, scores, strict=True):
        if pair.set in figures and pair.category != UNREACHABLE:
            figures[pair.set].count(same=pair.same, found=score >= THRESHOLDS[name])
    return list(figures.values())


def _with_births(dated: dict[str, Any]) -> Iterable[str]:
    names = ("un_alias_good", "un_alias_idn", "febrl4")
    yield _section(
        "With birth dates",
        "Precision / recall. *Told* is what somebody hears of, at once or for review; *stops* is what sends a "
        "traveller to the supervisor. In the sets of aliases the date asked is the listed one, which flatters every "
        "matcher that looks at it; febrl4 has real errors in its dates and is the fair column.",
    )
    yield _table(
        ["", *names],
        [
            [label, *(_both(dated[key][name]) for name in names)]
            for label, key in (("told", "sets"), ("stops", "stops"))
        ],
    )
    others = ", ".join(f"{name} {recall}" for name, recall in _PUBLISHED_DATED.items())
    yield f"\nRecall of others on the whole febrl4 with birth dates: {others}.\n"


def _zones(data: Path) -> Iterable[str]:
    report = evaluate_pairs(read_pairs(data / "mrz_pairs.csv"), _untold)
    rows = [
        [category, str(figures["n"]), _shown(figures["recall"])]
        for category, figures in report["categories"]["mrz_pairs"].items()
        if figures["recall"] is not None
    ]
    (figures,) = report["sets"].values()
    yield "## Names as passports' zones cut them\n"
    yield _table(["name field", "n", "recall"], rows)
    yield f"\nPrecision {_shown(figures['precision'])}, where the others begin with the same letters.\n"


def _retrieval(data: Path) -> Iterable[str]:
    queries, entries = read_queries(data / "queries.csv"), read_list(data / "list.ndjson")
    yield _section(
        "The right entry among the candidates",
        f"{len(queries):,} queries against {len(entries):,} entries, at most {DEFAULT.most_candidates} candidates "
        "each. A query that is an alias is looked for in an entry without it.",
    )
    rows = []
    for label, asked, only in (
        ("with their birth date", [query for query in queries if query.births], False),
        ("all, without any birth date", queries, True),
    ):
        report = evaluate_queries(asked, entries, _untold, names_only=only)
        found = sum(rank is not None for rank in report["ranks"]) / len(asked)
        rows.append([f"**{label}**", str(len(asked)), _shown(found), "", ""])
        rows += [
            [name, str(row["n"]), *(_shown(row[key]) for key in ("recall", "recall_at_1", "recall_at_10"))]
            for name, row in report["sets"].items()
        ]
    yield _table(["queries", "n", "found", "first", "in ten"], rows)
    yield ""


def _innocents() -> Iterable[str]:
    yield _section(
        "Innocent travellers",
        f"{_TRAVELLERS:,} made-up travellers with birth dates against {_ENTRIES:,} made-up entries, found by keys as "
        "at the border; how many of a thousand are told about though they are somebody else.",
    )
    rows = []
    for label, naming in (
        ("Indonesian words as often as in the table", by_frequency()),
        ("180 words, all equally often", of_few_words(random.Random(1))),
    ):
        stopped, noted = _alarms(naming)
        rows.append([label, f"{1000 * stopped / _TRAVELLERS:.1f}", f"{1000 * noted / _TRAVELLERS:.1f}"])
    yield _table(["names", "stopped", "noted for review"], rows)
    yield _paragraph(
        f"The incident of 2015: {_MUHAMMADS} entries named Muhammad, alone or with other words, {_OTHERS:,} "
        f"travellers named Muhammad born on other days: **{_incident()}** stopped."
    )


def _alarms(naming: Naming) -> tuple[int, int]:
    chance = random.Random(11)
    register = [Listed.of([naming(chance)], births=[birth(chance)]) for _ in range(_ENTRIES)]
    travellers = [Asked.of([naming(chance)], [birth(chance)]) for _ in range(_TRAVELLERS)]
    tiers = list(_tiers(register, travellers))
    return tiers.count("stop"), tiers.count("review")


def _incident() -> int:
    chance, naming = random.Random(2015), by_frequency()
    half = _MUHAMMADS // 2
    names = ["Muhammad"] * half + [f"Muhammad {naming(chance)}" for _ in range(half)]
    register = [Listed.of([name], births=[birth(chance)]) for name in names]
    taken = {day for entry in register for day in entry.births}
    days = [day for day in (birth(chance) for _ in range(2 * _OTHERS)) if day not in taken][:_OTHERS]
    return list(_tiers(register, [Asked.of(["Muhammad"], [day]) for day in days])).count("stop")


def _tiers(register: list[Listed], travellers: list[Asked]) -> Iterable[str]:
    """The gravest tier of each traveller."""
    index: Index[int] = Index()
    for number, entry in enumerate(register):
        births = entry.births
        index.add(number, stored_keys(entry.names, births), stored_days(entry.names, births))
    for who in travellers:
        candidates = index.rank(wanted(who), DEFAULT.most_candidates)
        found = {assess(who, register[number]).tier for number in candidates.ids}
        yield next((tier for tier in ("stop", "review") if tier in found), "none")


def _section(title: str, text: str) -> str:
    return f"## {title}\n{_paragraph(text)}"


def _paragraph(text: str) -> str:
    return "\n" + fill(text, 118, break_on_hyphens=False) + "\n"


def _both(figures: dict[str, Any]) -> str:
    return f"{_shown(figures['precision'])} / {_shown(figures['recall'])}"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _untold(_done: int, _total: int) -> None:
    """Nobody watches a benchmark."""


_HEAD = """# How well names are matched

Written by `python -m bench.accuracy` at default settings; anybody can repeat it, and measure sets of their own with
`cekal evaluate`. The sets: members of parliament under the names of ballots and of newspapers (`idn_dpr`), aliases of
good quality on the United Nations' list that spelling could lead to (`un_alias_good`, Indonesians in `un_alias_idn`),
Australian records with typing errors (`febrl4`), words from Arabic to English (`google_ar2en`), and two sets of hard
cases that other projects made (`senzing`, `nk_name_bench`). Measured on the fifth of them that development saw;
thresholds were chosen while looking at these rows, so unseen rows will do somewhat worse.
"""

_TAIL = """## What this does not say

- These are labelled sets, not the border. Precision on them is not the share of true alarms at a counter, where nearly
  everybody is innocent; the made-up travellers above come closer to that.
- The table of rarity is made by hand, and the first made-up crowd is drawn from that very table; the second is the
  hostile one.
- Names in Korean and Japanese characters, nicknames (Bob for Robert) and noms de guerre are not found by spelling.
- Chinese-Indonesian and Balinese names are nearly absent from the sets."""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the labelled names")
    parser.add_argument("--print", action="store_true", help="print the report and write nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()
