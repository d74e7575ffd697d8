"""`cekal conformance`: whether a running service keeps the promises of the feed and of its proofs."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FAILED, OK, Refused
from app.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.conformance.findings import Finding


def conformance(
    url: Annotated[str, typer.Argument(metavar="URL", help="The service's address.")],
    key_file: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A file with the key of an integrator or an auditor.",
        ),
    ],
    records: Annotated[
        int, typer.Option(min=1, help="How many records are read from the beginning, at most.")
    ] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> int:
    """Examine a running service over HTTP: the feed of changes, its signed heads and proofs, and its manners.

    Each check holds one promise of the API, and ends as `pass`, `fail` or `skipped` with a sentence about what was
    seen. It reads only, with the key of an integrator, and trusts nothing but the published keys: the same records
    must come in each format, and be below the signed root. Nothing of a record is printed but its number and type. Exit
    code 0 if no check failed, else 1.

    For example:

        cekal conformance https://cekal.example --key-file integrator.key

        cekal conformance http://127.0.0.1:8000 --key-file integrator.key --records 100000 --json

    Settings: none.
    """
    from app.conformance.service import ServiceRefused, examine_service

    try:
        findings = list(examine_service(url, _key_in(key_file), records))
    except ServiceRefused as error:
        raise Refused(str(error)) from None
    conforms = all(each.outcome != "fail" for each in findings)
    if as_json:
        checks = [
            {"check": each.check, "promise": each.promise, "result": each.outcome.value, "seen": each.seen}
            for each in findings
        ]
        print_json({"url": url, "conforms": conforms, "checks": checks})
    else:
        _print(findings)
    return OK if conforms else FAILED


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
