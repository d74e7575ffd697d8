"""`cekal evaluate`: measures the precision and recall of the matching of names on labelled sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.matching.evaluation import ReportProgress
    from app.matching.policy import MatchPolicy

_LIST_BESIDE = "list.ndjson"


def evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)],
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            exists=True,
            dir_okay=False,
            readable=True,
            help=f"The list that queries go to (NDJSON: id, names, dob); by default {_LIST_BESIDE} beside FILE.",
        ),
    ] = None,
    names_only: Annotated[
        bool, typer.Option("--names-only", help="Leave birth dates out, as if nobody knew them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Measure how well names are matched, on a labelled set of yours, with the settings of this register.

    FILE is CSV; its first line names the columns:

    - pairs: name_query, name_entry, label (1: the same person, 0: not), and if known set, category, dob_query,
      dob_entry
    - name fields of passports: mrz_name_field (39 characters, with fillers), name_entry, label, and if known category
    - queries: name, expected_id, and if known set, category, dob, mode (exclude_alias: the entry's own spelling that
      equals the query is left out)

    Everything is counted twice. `stops` are the pairs for which a traveller is referred to a supervisor. `told` are
    these and the pairs that are only noted for review: the counter lets such a traveller pass. Every share has its
    95 % interval. Pairs of the category different_name (a person under another name altogether) count in the
    categories only, as no spelling leads there.

    For example:

        cekal evaluate pairs.csv

        cekal evaluate pairs.csv --names-only --json

        cekal evaluate queries.csv --list list.ndjson

    With --json it prints {"stops": {"idn": {"precision": 0.99, "recall": 0.96, "f1": 0.97, "n": 148, "same": 33,
    "precision_95": [0.95, 1.0], "recall_95": [0.81, 0.99]}}, "sets": {the same of what is told}, "categories": {…}};
    for queries {"sets": {"idn": {"n": 31, "stopped": 0.94, "stopped_95": [0.8, 0.98], …}}, "ranks": […]}.

    No register is needed or touched; names from FILE are printed nowhere.

    Settings: CEKAL_MATCH_POLICY, thresholds to try, such as '{"stop_bits": 27}'.
    """
    from app.matching.labelled import NotLabelled, kind_of
    from app.matching.policy import policy_of
    from app.settings_sources import load_settings

    try:
        policy = policy_of(load_settings().match_policy)
        kind = kind_of(file)
        if kind == "queries":
            beside = listed or file.with_name(_LIST_BESIDE)
            if not beside.is_file():
                raise Refused(f"{file} holds queries: say with --list which list they go to.", usage=True)
            _print_ranks(_queries(file, beside, policy, names_only=names_only), as_json=as_json)
        else:
            _print_figures(_pairs(file, policy, names_only=names_only), as_json=as_json)
    except NotLabelled as error:
        raise Refused(str(error)) from None


def _pairs(file: Path, policy: "MatchPolicy", *, names_only: bool) -> dict[str, Any]:
    from app.matching.evaluation import evaluate_pairs
    from app.matching.labelled import read_pairs

    pairs = read_pairs(file)
    with progress("Comparing", "pairs") as advance:
        return evaluate_pairs(pairs, _throttled(advance), policy, names_only=names_only)


def _queries(file: Path, listed: Path, policy: "MatchPolicy", *, names_only: bool) -> dict[str, Any]:
    from app.matching.evaluation import evaluate_queries
    from app.matching.labelled import read_list, read_queries

    queries, entries = read_queries(file), read_list(listed)
    with progress("Looking up", "queries") as advance:
        return evaluate_queries(queries, entries, _throttled(advance), policy, names_only=names_only)


def _throttled(advance: "ReportProgress") -> "ReportProgress":
    """Return a function that reports progress rarely, since drawing a progress bar costs more than comparing names."""
    step = 50

    def throttled(done: int, total: int) -> None:
        if done % step == 0 or done == total:
            advance(done, total)

    return throttled


def _print_figures(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    columns = ("set", "n", "same", "stops: precision", "recall", "told: precision", "recall")
    print_table(
        columns,
        [
            (name, figures["n"], figures["same"], *_both(figures), *_both(report["sets"][name]))
            for name, figures in report["stops"].items()
        ],
    )
    typer.echo()
    rows = [
        (name, category or "-", figures["n"], figures["same"], *_both(figures))
        for name, of_set in report["categories"].items()
        for category, figures in of_set.items()
    ]
    print_table(("set", "category", "n", "same", "stops: precision", "recall"), rows)


def _print_ranks(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    print_table(
        ("set", "n", "stopped", "told", "found", "first", "in ten", "median rank", "cut off"),
        [
            (
                name,
                row["n"],
                share(row["stopped"], row["stopped_95"]),
                *(share(row[which]) for which in ("told", "recall", "recall_at_1", "recall_at_10")),
                row["median_rank"] or "-",
                row["truncated"],
            )
            for name, row in report["sets"].items()
        ],
    )


def _both(figures: dict[str, Any]) -> list[str]:
    return [share(figures[which], figures[f"{which}_95"]) for which in ("precision", "recall")]


def share(value: float | None, within: "Sequence[float] | None" = None) -> str:
    """Return a share with its 95 % interval (`within`) as text: "0.960 (0.93-0.98)"; "-" for None."""
    if value is None:
        return "-"
    return f"{value:.3f} ({within[0]:.2f}-{within[1]:.2f})" if within else f"{value:.3f}"
