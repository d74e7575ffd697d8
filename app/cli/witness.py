"""`cekal witness`: a witness of transparency logs, the evidence that it kept, and its verification."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FAILED, OK, Refused
from app.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.witness.domain import StoredEvidence

_HELP = """
Serve a witness of transparency logs, for an agency or the ombudsman.

A witness cosigns a log's head only if it continues the one that it cosigned before, so that a register can't show one
past to one reader and another past to others. It needs no register: run it on a machine of its own, by people of
their own. It keeps its keys and one SQLite file in --data-dir; back up that folder's `keys`.

The policy (C2SP tlog-policy) has a line `log <vkey>` for each key of each trusted log, and a line `quorum none`. It is
read again on SIGHUP. A register that was restored has a new origin: it is refused until the operator adds its line.

For example:

    cekal witness --policy logs.txt --host 0.0.0.0 --port 8100 --name witness.ombudsman.example

    cekal witness evidence

Settings: CEKAL_LOG_LEVEL, CEKAL_LOG_JSON, CEKAL_TRUSTED_PROXIES and the limits of connections.
"""

commands = typer.Typer(help=_HELP, invoke_without_command=True)

DataDir = Annotated[
    Path, typer.Option("--data-dir", metavar="DIR", help="The witness's folder, made at the first start.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
_FOLDER = Path("cekal-witness")


@commands.callback()
def serve(
    context: typer.Context,
    policy: Annotated[Path | None, typer.Option(metavar="FILE", help="The logs that it trusts.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8100,
    data_dir: DataDir = _FOLDER,
    name: Annotated[
        str | None,
        typer.Option(help="Its name, like a host; set at the first start and never changed."),
    ] = None,
    accept_clock: Annotated[
        bool,
        typer.Option(
            "--accept-clock",
            help="Accept this machine's present time as correct, although earlier cosignatures have later times.",
        ),
    ] = False,
) -> int:
    """Serve a witness of transparency logs, unless a subcommand is given."""
    if context.invoked_subcommand is not None:
        return OK
    if policy is None:
        raise Refused(
            "--policy is missing: a file with the logs to trust. See: cekal witness --help", usage=True
        )
    from app.settings_sources import load_settings
    from app.tlog.policy import PolicyMalformed
    from app.witness.identity import IdentityRefused
    from app.witness.serving import WitnessRefused, serve_witness

    try:
        return serve_witness(load_settings(), policy, data_dir, name, (host, port), accept_clock=accept_clock)
    except PolicyMalformed as error:
        raise Refused(f"{policy}, {error}", usage=True) from None
    except (IdentityRefused, WitnessRefused) as error:
        raise Refused(str(error), usage=True) from None


@commands.command()
def evidence(
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", help="Print this evidence as a file.")
    ] = None,
    data_dir: DataDir = _FOLDER,
    as_json: Json = False,
) -> None:
    """List the evidence that logs contradict themselves, or print one piece of it as a file.

    A piece of evidence is two heads that one log signed, and that contradict each other or seem to. Without NUMBER all
    pieces that this witness has kept are listed, each with its number, its time, its log and its kind. With NUMBER this
    piece is printed, for `cekal witness verify`. An unknown NUMBER prints an error, with exit code 2.

    The kind says what the two heads prove:

    - `two-roots`: trees of one size with two roots;

    - `other-leaves`: the larger tree does not begin with the smaller one;

    - `rollback`: the log signed the smaller tree as its newest, after it had signed the larger one;

    - `unproved`: the consistency proof between them failed. Anybody can send a wrong proof, so this proves nothing yet:
      ask the log for the right one.

    It may be used beside the running witness.

    For example:

        cekal witness evidence

        cekal witness evidence 1 > fork.txt

    Settings: none.
    """
    found = _kept(data_dir)
    if number is not None:
        file = next((each.file for each in found if each.number == number), None)
        if file is None:
            raise Refused(f"There is no evidence {number}.", usage=True)
        typer.echo(file, nl=False)
        return
    rows = [
        {
            "number": each.number,
            "found_at": datetime.fromtimestamp(each.found_at, UTC).isoformat().replace("+00:00", "Z"),
            "origin": each.origin,
            "kind": each.kind,
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        typer.echo("No log has contradicted itself before this witness.")


@commands.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An evidence file.")],
    policy: Annotated[
        Path, typer.Option(metavar="FILE", help="A policy with the log's keys, as the log publishes them.")
    ],
) -> int:
    """Verify that an evidence file proves that a log contradicts itself.

    The proof rests on the file and the log's published keys alone; neither the witness nor its operator has to be
    trusted. Exit code 0 if the contradiction is proved, else 1.

    For example:

        cekal witness verify fork.txt --policy logs.txt

    Settings: none.
    """
    from app.tlog.contradictions import Evidence
    from app.tlog.keys import SignatureInvalid
    from app.tlog.merkle import ProofInvalid
    from app.tlog.notes import NoteMalformed
    from app.tlog.policy import Policy, PolicyMalformed

    try:
        keys = [log.key for log in Policy.parse(policy.read_bytes()).logs]
    except PolicyMalformed as error:
        raise Refused(f"{policy}, {error}", usage=True) from None
    try:
        found = Evidence.parse(file.read_bytes()).verify(keys)
    except (NoteMalformed, SignatureInvalid, ProofInvalid) as error:
        typer.echo(f"Not proved: {error}.")
        return FAILED
    typer.echo(f"Proved: {found}.")
    return OK


def _kept(data_dir: Path) -> "Sequence[StoredEvidence]":
    import sqlite3

    from app.witness.store import FILE, Store

    try:
        store = Store(data_dir, read_only=True)
        try:
            return store.kept()
        finally:
            store.close()
    except sqlite3.Error as error:
        raise Refused(f"{data_dir / FILE} can't be read: {error}.") from None
