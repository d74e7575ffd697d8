"""`cekal import`: imports published lists, and entries of existing registers."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json, print_table, progress
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.register.entries.listing import Approvers
    from app.register.lists.report import Progress, Report
    from app.runtime import Runtime

_HELP = """
Bring entries in from elsewhere, beside a running service.

Two different persons approve an import, by their nationwide employee numbers; they are recorded in every entry and in
the audit trail. Small steps are committed, so that an import may be cut off and run again; the same file again changes
nothing.
"""

_MAX_SHOWN = 20

commands = typer.Typer(help=_HELP, no_args_is_help=True)

File = Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, readable=True)]
First = Annotated[str, typer.Option("--approved-by", help="Employee number of who approves it.")]
Second = Annotated[
    str, typer.Option("--second-approver", help="Employee number of a second person who does.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON for scripts.")]


@commands.command()
def un(
    file: File,
    approved_by: First,
    second_approver: Second,
    review_on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Last day of the bans added, within ten years; without it for life."
        ),
    ] = None,
    allow_shrink: Annotated[
        bool,
        typer.Option("--allow-shrink", help="The edition may end many persons, or all of a committee's."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Import the UN Security Council's consolidated list (XML) as entry bans of Immigration.

    A person who is new on the list is added, one whose data changed is corrected, and the ban of one who is no longer
    listed ends. Left out, and reported with the reason: groups and firms (entity), Indonesian citizens
    (wni_cannot_be_deterred), individuals without a name (no_name), and a second copy of an individual (repeated).
    A list entry may lack photo, sex and birth. A person is recognised by reference number, by data id, or by names
    and documents, so an edition that gives somebody new numbers ends nobody's ban.

    An edition is refused as a whole, and nothing is changed, if it is older than the last one or dated in the future;
    if the file is malformed (the line is reported); or if it would end the bans of more than a tenth of the persons
    (CEKAL_LIST_SHRINK_SHARE) or of a whole committee, because it may be only a part of the list. --allow-shrink states
    that it is the whole list.

    For example:

        cekal import un consolidated.xml --approved-by 198001012005011001 --second-approver 197505052000031002

        cekal import un consolidated.xml --approved-by … --second-approver … --review-on 2031-11-23 --json

    With --json it prints:

        {"added": 4, "changed": 46, "ended": 6, "unchanged": 636, "skipped": [{"id": "6907993", "reason": "entity"}]}

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR; CEKAL_MONTH_CONVENTION; CEKAL_LIST_SHRINK_SHARE.
    """
    from app.register.lists.un import ListUnreadable
    from app.register.lists.un_import import import_list

    last = review_on.date() if review_on else None

    async def do(runtime: "Runtime", approvers: "Approvers", advance: "Progress") -> "Report":
        try:
            return await import_list(
                runtime, file, approvers, review_on=last, allow_shrink=allow_shrink, progress=advance
            )
        except ListUnreadable as error:
            raise Refused(f"{file}: {error}. Nothing was changed.") from None

    with progress("Importing", "persons") as advance:
        report = _import(do, approved_by, second_approver, advance)
    _print_report(report, as_json=as_json)


@commands.command()
def entries(
    file: File,
    approved_by: First,
    second_approver: Second,
    legacy: Annotated[
        bool, typer.Option("--legacy", help="The older register had no photos: they may be missing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take over an existing register: NDJSON, a line for each entry, of any size.

    A line, with the body of POST /v1/entries as its entry:

        {"agency": "KPK", "reference": "old-1", "entry": {…}, "approved_on": "2026-10-01",
         "extension_count": 0, "first_started_on": null}

    The rules are judged as on the day of approval. Entries work at once; one whose period is over by today is kept as
    an ended one. A line that breaks a rule is left out and reported with its reason; the others go on.

    The file may be imported again. A line that has changed since the last import corrects its entry. Entries that
    officers have changed here are not corrected. A line that is no longer in the file ends nothing.

    For example:

        cekal import entries register.ndjson --approved-by 198001012005011001 --second-approver 197505052000031002

        cekal import entries register.ndjson --approved-by … --second-approver … --legacy --json

    The report is the one of `cekal import un`; a reason begins with a problem's name, and ends with the line's number.

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR; CEKAL_MONTH_CONVENTION, CEKAL_WITNESS_WARN_AGENCIES.
    """
    from app.register.lists.takeover import take_over
    from app.register.lists.takeover_lines import NotNdjson

    async def do(runtime: "Runtime", approvers: "Approvers", advance: "Progress") -> "Report":
        try:
            return await take_over(runtime, file, approvers, legacy=legacy, progress=advance)
        except NotNdjson as error:
            raise Refused(f"{error} Nothing was changed.") from None

    with progress("Taking over", "bytes") as advance:
        report = _import(do, approved_by, second_approver, advance)
    _print_report(report, as_json=as_json)


def _import(
    do: "Callable[[Runtime, Approvers, Progress], Awaitable[Report]]",
    first: str,
    second: str,
    advance: "Progress",
) -> "Report":
    from app.cli.failures import with_faults
    from app.errors import Invalid, PeriodTooLong, SecondPairOfEyesNeeded
    from app.kit.garbage import keep_loaded_objects
    from app.register.entries.listing import Approvers

    def begin(runtime: "Runtime") -> "Awaitable[Report]":
        keep_loaded_objects()
        return do(runtime, approvers, advance)

    try:
        approvers = Approvers.named(first, second)
        return with_register(begin)
    except SecondPairOfEyesNeeded as error:
        raise Refused(f"{error.detail} (four eyes)", usage=True) from None
    except (Invalid, PeriodTooLong) as error:
        raise Refused(with_faults(error.detail, error.faults), usage=True) from None


def _print_report(report: "Report", *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json())
        return
    counts = report.counts()
    print_table(tuple(counts), [tuple(counts.values())])
    if not report.skipped:
        return
    typer.echo()
    words = Counter(one.reason.partition(" ")[0].rstrip(":") for one in report.skipped)
    print_table(("skipped", "because"), [(count, word) for word, count in words.most_common()])
    explained = [one for one in report.skipped if " " in one.reason]
    if explained:
        typer.echo()
        print_table(("id", "reason"), [(one.id, one.reason) for one in explained[:_MAX_SHOWN]])
        if len(explained) > _MAX_SHOWN:
            typer.echo(f"… and {len(explained) - _MAX_SHOWN} more: --json lists all of them.")
