"""How fast and how good is a comparison? Against nomenklatura's matchers and rapidfuzz, on the same pairs in one run.

    python -m bench.scoring                   # every labelled pair beside the repository; installs rivals once
    python -m bench.scoring --json            # for scripts
    python -m bench.scoring --no-rivals       # Cekal alone

Run it from the root of the repository. The rivals live in an environment of their own (.rivals/matchers), made from
the package index the first time; where that can't be done it says so and measures Cekal alone. The labelled pairs lie
outside the repository (--pairs); without them there is nothing to measure.

The columns: microseconds of processor time a pair (mean, median, 95th percentile) when it is seen for the first time,
with every cache empty, and again; then precision and recall, on names alone, at each matcher's own default threshold.
Rivals' entities are made before the clock starts; Cekal's first time includes making the names ready. A pair is one
name against one name.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.identity import spellings as made_ready
from app.matching import births
from app.matching.assessment import assess
from app.matching.evaluation import UNREACHABLE, Figures
from app.matching.labelled import Pair, read_pairs
from app.matching.persons import KnownPerson, QueriedPerson
from bench.figures import median, percentile, shown, table
from bench.processes import ROOT
from bench.rival_environments import RivalMissing, rival_programs

PAIRS = ROOT.parent / "shared" / "data" / "names" / "pairs.csv"
_NEEDED = ("nomenklatura>=4.17", "rapidfuzz>=3.14")
_LONGEST_RUN = 1800
"""Seconds after which the rivals are given up."""
THRESHOLDS = {
    "nomenklatura logic-v2": 0.7,
    "nomenklatura name-based": 0.7,
    "rapidfuzz token_sort": 0.85,
    "rapidfuzz token_set": 0.85,
}
_SETS = ("idn_dpr", "un_alias_good", "un_alias_idn", "febrl4")

Times = list[float]


def main() -> None:
    options = _options()
    if not options.pairs.is_file():
        print(f"Skipped: there are no labelled pairs at {options.pairs} (--pairs says where).")
        return
    pairs = read_pairs(options.pairs)
    measured: dict[str, Any] = {"cekal": ours(pairs)}
    if options.rivals:
        measured |= theirs(pairs)
    if options.json:
        print(json.dumps({name: _summary(found, pairs, name) for name, found in measured.items()}, indent=2))
    else:
        _print(pairs, measured)


def ours(pairs: list[Pair]) -> dict[str, Any]:
    """Cekal's own times and verdicts."""
    for cached in (made_ready._prepared, made_ready._word, births.compare_births):  # noqa: SLF001 - emptied
        cached.cache_clear()
    passes: list[Times] = []
    for _ in range(2):
        times, scores = [], []
        for pair in pairs:
            began = time.thread_time()
            found = assess(QueriedPerson.of([pair.queried]), KnownPerson.of([pair.listed]))
            times.append(1e6 * (time.thread_time() - began))
            scores.append(float(found.tier != "none"))
        passes.append(times)
    prepared = [(QueriedPerson.of([pair.queried]), KnownPerson.of([pair.listed])) for pair in pairs]
    began = time.thread_time()
    for asked, listed in prepared:
        assess(asked, listed)
    ready = 1e6 * (time.thread_time() - began) / len(pairs)
    return {"first": passes[0], "second": passes[1], "scores": scores, "ready": ready}


def theirs(pairs: list[Pair], *, dated: bool = False) -> dict[str, Any]:
    """The rivals' times and scores, on names alone or with birth dates.

    Empty, with a line that says why, where they can't be had.
    """
    try:
        python = rival_programs("matchers", _NEEDED) / "python"
        asked = json.dumps(
            [
                (
                    pair.queried,
                    [birth.date for birth in pair.queried_births if dated],
                    pair.listed,
                    [birth.date for birth in pair.listed_births if dated],
                )
                for pair in pairs
            ]
        )
        script = ROOT / "bench" / "rival_matchers.py"
        told = subprocess.run(
            [python, script],
            input=asked,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=_LONGEST_RUN,
        )
    except (RivalMissing, OSError, subprocess.SubprocessError) as error:
        print(f"The rivals are left out, they can't be installed or run here: {error}", file=sys.stderr)
        return {}
    answer: dict[str, Any] = json.loads(told.stdout)
    return answer


def _summary(found: dict[str, Any], pairs: list[Pair], name: str) -> dict[str, Any]:
    quality: dict[str, Figures] = {}
    least = THRESHOLDS.get(name, 0.5)
    for pair, score in zip(pairs, found["scores"], strict=True):
        if pair.set in _SETS and pair.category != UNREACHABLE:
            quality.setdefault(pair.set, Figures()).count(same=pair.same, found=score >= least)
    times = {
        which: {
            "mean": sum(found[which]) / len(found[which]),
            "median": median(found[which]),
            "p95": percentile(sorted(found[which]), 0.95),
        }
        for which in ("first", "second")
    }
    return {
        **times,
        "ready": found.get("ready"),
        "sets": {one: figures.as_json() for one, figures in quality.items()},
    }


def _print(pairs: list[Pair], measured: dict[str, Any]) -> None:
    summaries = {name: _summary(found, pairs, name) for name, found in measured.items()}
    mine = summaries["cekal"]
    rows = []
    for name, one in summaries.items():
        rows.append(
            [
                name,
                *(
                    shown(one[which][what], 1)
                    for which in ("first", "second")
                    for what in ("mean", "median", "p95")
                ),
                *(shown(one[which]["mean"] / mine[which]["mean"], 1) for which in ("first", "second")),
            ]
        )
    print(f"\n{len(pairs):,} pairs, microseconds of processor time a pair\n")
    head = ["matcher", "first: mean", "median", "p95", "again: mean", "median", "p95", "times ours", "again"]
    print(table(head, rows))
    print(f"\nCekal with both sides made ready beforehand: {mine['ready']:.1f} us a pair\n")
    head = ["precision / recall, names only", *_SETS]
    print(
        table(
            head,
            [[name, *(_quality(one["sets"][which]) for which in _SETS)] for name, one in summaries.items()],
        )
    )


def _quality(figures: dict[str, Any]) -> str:
    return f"{shown(figures['precision'], 3)} / {shown(figures['recall'], 3)}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scoring", description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=Path, default=PAIRS, help="labelled pairs (CSV)")
    parser.add_argument("--no-rivals", dest="rivals", action="store_false", help="measure Cekal alone")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
