"""`cekal openapi`: prints the OpenAPI document, and pages generated from it."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.failures import Refused


def openapi(
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", exists=True, dir_okay=False, help="Only say whether this file is up to date."
        ),
    ] = None,
    as_dictionary: Annotated[
        bool, typer.Option("--dictionary", help="Print docs/data-dictionary.md in its place.")
    ] = False,
    as_code_lists: Annotated[
        bool, typer.Option("--code-lists", help="Print docs/code-lists.csv in its place.")
    ] = False,
    as_errors: Annotated[bool, typer.Option("--errors", help="Print docs/errors.md in its place.")] = False,
) -> None:
    """Print the OpenAPI document of the API, the same bytes for the same program, or a page that is made of it.

    For example:

        cekal openapi > docs/openapi.json

        cekal openapi --dictionary > docs/data-dictionary.md

        cekal openapi --check docs/openapi.json

    Exit code 1 where the checked file differs. Settings: none.
    """
    from app.cli import dictionary

    pages: dict[str, Callable[[dict[str, Any]], str]] = {}
    if as_dictionary:
        pages[" --dictionary"] = dictionary.dictionary
    if as_code_lists:
        pages[" --code-lists"] = dictionary.code_lists_csv
    if as_errors:
        pages[" --errors"] = dictionary.errors
    if len(pages) > 1:
        raise Refused("One page at a time: --dictionary, --code-lists or --errors.", usage=True)
    text = document()
    for page in pages.values():
        text = page(json.loads(text))
    if check is None:
        typer.echo(text, nl=False)
    elif check.read_text(encoding="utf-8") != text:
        raise Refused(f"{check} is out of date: cekal openapi{''.join(pages)} > {check}")


def document() -> str:
    """Return the OpenAPI document as JSON: paths and schemas sorted by name, all else in the order of declaration."""
    from app.main import create_app
    from app.settings import Settings

    with tempfile.TemporaryDirectory() as folder:  # nothing is opened, but the folder of the data is made
        described: dict[str, Any] = create_app(Settings(data_dir=Path(folder), database_url="")).openapi()
    components = {kind: _by_name(parts) for kind, parts in described.get("components", {}).items()}
    described = {**described, "paths": _by_name(described["paths"]), "components": components}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _by_name(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: parts[name] for name in sorted(parts)}
