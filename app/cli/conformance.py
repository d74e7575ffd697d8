"""`cekal conformance`: checks whether a service, or a consumer of its feed, keeps its promises."""

import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FAILED, OK, Refused
from app.cli.printing import print_json, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.conformance.findings import Finding


def conformance(
    url: Annotated[str | None, typer.Argument(metavar="[URL]", help="The service's address.")] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A file with the key of an integrator or an auditor.",
        ),
    ] = None,
    records: Annotated[
        int, typer.Option(min=1, help="How many records are read from the beginning, at most.")
    ] = 1000,
    consumer: Annotated[
        str | None,
        typer.Option(metavar="COMMAND", help="Examine this consumer of the feed in place of a service."),
    ] = None,
    silence: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=1,
            help="How long a consumer may wait on a silent line; it is given as INTEGRATOR_SILENCE.",
        ),
    ] = 45.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> int:
    """Examine a running service over HTTP: the feed of changes, signed heads, proofs, snapshots, and its use of HTTP.

    Each check tests one promise of the API, and ends as `pass`, `fail` or `skipped` with a sentence about what was
    seen. The checks only read, with the key of an integrator, and trust nothing but the published signing keys: the
    same records must come in each format, and the ledger's signed root must prove them. Nothing of a record is printed
    but its number and type. Exit code 0 if no check failed, else 1.

    With --consumer, a program that keeps a copy of the feed is examined in place of a service. A small ledger is served
    on this machine, `COMMAND follow` has to keep a copy of this ledger, and `COMMAND show` has to print the copy. The
    ledger's server plays what a consumer must survive (cut connections, repeats, 503, silence, a restore) and what must
    stop a consumer (forged records, missing numbers, wrong snapshots). docs/integrate-feed.md says what COMMAND has to
    do.

    For example:

        cekal conformance https://cekal.example --key-file integrator.key

        cekal conformance http://127.0.0.1:8000 --key-file integrator.key --records 100000 --json

        cekal conformance --consumer "python docs/examples/integrator.py"

    Settings: none.
    """
    if consumer is not None:
        if url is not None or key_file is not None:
            raise Refused(
                "--consumer needs no URL and no --key-file: the service is made for it.", usage=True
            )
        about, findings = {"consumer": consumer}, _rehearsed(consumer, silence)
    elif url is None or key_file is None:
        raise Refused("A service's URL and --key-file are needed. See: cekal conformance --help", usage=True)
    else:
        about, findings = {"url": url}, _examined(url, key_file, records)
    conforms = all(each.outcome != "fail" for each in findings)
    if as_json:
        checks = [
            {"check": each.check, "promise": each.promise, "result": each.outcome.value, "seen": each.seen}
            for each in findings
        ]
        print_json({**about, "conforms": conforms, "checks": checks})
    else:
        _print(findings)
    return OK if conforms else FAILED


def _examined(url: str, key_file: Path, records: int) -> "list[Finding]":
    from app.conformance.service import CHECKS, ServiceRefused, examine_service

    try:
        return _gathered(examine_service(url, _key_in(key_file), records), len(CHECKS))
    except ServiceRefused as error:
        raise Refused(str(error)) from None


def _rehearsed(command: str, silence: float) -> "list[Finding]":
    from app.conformance.consumer import CHECKS, ConsumerRefused, examine_consumer

    try:
        return _gathered(examine_consumer(shlex.split(command), silence=silence), len(CHECKS))
    except (ConsumerRefused, ValueError) as error:
        raise Refused(f"--consumer: {error}", usage=True) from None


def _gathered(findings: "Iterator[Finding]", total: int) -> "list[Finding]":
    with progress("Examining", "checks") as advance:
        advance(0, total)
        gathered = []
        for each in findings:
            gathered.append(each)
            advance(len(gathered), total)
    return gathered


def _key_in(file: Path) -> str:
    text = file.read_bytes().decode("ascii", errors="replace").strip()
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise Refused(f"{file} has no key in one line.", usage=True)
    return text


def _print(findings: "Sequence[Finding]") -> None:
    print_table(("check", "result", "seen"), [(each.check, each.outcome, each.seen) for each in findings])
    counted = Counter(each.outcome.value for each in findings)
    for each in findings:
        if each.outcome == "fail":
            typer.echo(f"Broken: {each.promise}")
    typer.echo(f"{counted['pass']} checks passed, {counted['fail']} failed, {counted['skipped']} skipped.")
