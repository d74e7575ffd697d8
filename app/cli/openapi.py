"""`cekal openapi`: the API's description as a file."""

import json
import tempfile
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
) -> None:
    """Print the OpenAPI document of the API, the same bytes for the same program.

    For example:

        cekal openapi > docs/openapi.json

        cekal openapi --check docs/openapi.json

    Exit code 1 where the checked file differs. Settings: none.
    """
    text = document()
    if check is None:
        typer.echo(text, nl=False)
    elif check.read_text(encoding="utf-8") != text:
        raise Refused(f"{check} is out of date: cekal openapi > {check}")


def document() -> str:
    """The OpenAPI document as JSON text: paths and schemas by name, everything else as it is declared."""
    from app.main import create_app
    from app.settings import Settings

    with tempfile.TemporaryDirectory() as folder:  # nothing is opened, but the folder of the data is made
        described: dict[str, Any] = create_app(Settings(data_dir=Path(folder), database_url="")).openapi()
    components = {kind: _by_name(parts) for kind, parts in described.get("components", {}).items()}
    described = {**described, "paths": _by_name(described["paths"]), "components": components}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _by_name(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: parts[name] for name in sorted(parts)}
