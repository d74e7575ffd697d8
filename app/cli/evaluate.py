"""`cekal evaluate`: how well names are matched, measured on labelled sets by anybody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json, print_table, progress

if TYPE_CHECKING:
    from app.matching.evaluation import Tell
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

    FILE is CSV; its first line says what it holds:

    - pairs: name_query, name_entry, label (1: the same person, 0: not), and if known set, category, dob_query,
      dob_entry
    - name fields of passports: mrz_name_field (39 characters, with fillers), name_entry, label, and if known category
    - queries: name, expected_id, and if known set, category, dob, mode (exclude_alias: the entry's own spelling that
      equals the query is left out)

    Found is what is told to somebody: at once (the traveller is referred to a supervisor) or noted for review; the
    table's last columns count the first alone. Pairs of the category different_name (a person under another name
    altogether) count in the categories only, as no spelling leads there.

    For example:

        cekal evaluate pairs.csv

        cekal evaluate pairs.csv --names-only --json

        cekal evaluate queries.csv --list list.ndjson

    With --json it prints {"sets": {"idn": {"precision": 0.99, "recall": 0.96, "f1": 0.97, "n": 148}}, "stops": {…},
    "categories": {…}}; for queries {"sets": {"idn": {"n": 31, "recall": 0.97, "recall_at_1": 0.9, …}}, "ranks": […]}.

    No register is needed or touched; names from FILE are printed nowhere.

    Settings: CEKAL_MATCH_POLICY, thresholds to try, such as '{"stop_bits": 27}'.
    """
    from app.matching.labelled import NotLabelled, kind_of
    from app.matching.policy import policy_of
    from app.settings import load_settings

    try:
        policy = policy_of(load_settings().match_policy)
        kind = kind_of(file)
        if kind == "queries":
            beside = listed or file.with_name(_LIST_BESIDE)
            if not beside.is_file():
                raise Refused(f"{file} holds queries: say with --list which list they go to.", usage=True)
            _tell_ranks(_queries(file, beside, policy, names_only=names_only), as_json=as_json)
        else:
            _tell_figures(_pairs(file, policy, names_only=names_only), as_json=as_json)
    except NotLabelled as error:
        raise Refused(str(error)) from None


def _pairs(file: Path, policy: "MatchPolicy", *, names_only: bool) -> dict[str, Any]:
    from app.matching.evaluation import evaluate_pairs
    from app.matching.labelled import read_pairs

    pairs = read_pairs(file)
    with progress("Comparing", "pairs") as tell:
        return evaluate_pairs(pairs, _seldom(tell), policy, names_only=names_only)


def _queries(file: Path, listed: Path, policy: "MatchPolicy", *, names_only: bool) -> dict[str, Any]:
    from app.matching.evaluation import evaluate_queries
    from app.matching.labelled import read_list, read_queries

    queries, entries = read_queries(file), read_list(listed)
    with progress("Looking up", "queries") as tell:
        return evaluate_queries(queries, entries, _seldom(tell), policy, names_only=names_only)


def _seldom(tell: "Tell") -> "Tell":
    """Tell of progress now and then only: drawing costs more than comparing."""
    step = 50

    def told(done: int, total: int) -> None:
        if done % step == 0 or done == total:
            tell(done, total)

    return told


def _tell_figures(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    columns = ("set", "n", "precision", "recall", "F1", "stops: precision", "recall")
    print_table(
        columns,
        [
            (
                name,
                figures["n"],
                *_shown(figures, ("precision", "recall", "f1")),
                *_shown(report["stops"][name], ("precision", "recall")),
            )
            for name, figures in report["sets"].items()
        ],
    )
    typer.echo()
    rows = [
        (name, category or "-", figures["n"], *_shown(figures, ("precision", "recall")))
        for name, of_set in report["categories"].items()
        for category, figures in of_set.items()
    ]
    print_table(("set", "category", "n", "precision", "recall"), rows)


def _tell_ranks(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    shown = ("recall", "recall_at_1", "recall_at_10", "told")
    print_table(
        ("set", "n", "found", "first", "in ten", "told", "median rank", "cut off"),
        [
            (name, row["n"], *_shown(row, shown), row["median_rank"] or "-", row["truncated"])
            for name, row in report["sets"].items()
        ],
    )


def _shown(figures: dict[str, Any], which: tuple[str, ...]) -> list[str]:
    return ["-" if figures[name] is None else f"{figures[name]:.3f}" for name in which]
