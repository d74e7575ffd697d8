"""`cekal keys`: lists and rotates the keys that sign the ledger's heads, for a person with control of the machine."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.printing import print_json
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.runtime import Runtime
    from app.sync.heads.schemas import SigningKeysOut

_HELP = """
The keys that sign the ledger's heads.

`cekal migrate` makes them once: three private keys, one file for each, in `signing-keys` of the data directory or in
CEKAL_SIGNING_KEYS. They are in no backup: copy the folder to a safe place, and to every machine that may sign.
"""

commands = typer.Typer(help=_HELP, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@commands.command("list")
def list_keys(*, json: Json = False) -> None:
    """List the public keys that verify signed heads, and the period in which each signs.

    For example:

        cekal keys list

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    _print(with_register(_list), json=json)


@commands.command()
def rotate(*, json: Json = False) -> None:
    """Make new signing keys; the former ones sign beside them for 30 days, then no more.

    Tell everybody who verifies heads: witnesses, integrators, readers of letters. They get the new keys from
    /v1/signing-keys, and compare them with a copy from another source. The rotation is recorded in the audit trail.

    For example:

        cekal keys rotate

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR, CEKAL_SIGNING_KEYS.
    """
    _print(with_register(_rotate), json=json)


def _print(keys: "SigningKeysOut", *, json: bool) -> None:
    if json:
        print_json(keys.model_dump(mode="json"))
        return
    for key in keys.items:
        until = f", until {key.used_until:%Y-%m-%d}" if key.used_until else ""
        typer.echo(f"{key.algorithm}, from {key.used_from:%Y-%m-%d}{until}\n  {key.vkey}")


async def _list(runtime: "Runtime") -> "SigningKeysOut":
    from app.access.domain import SYSTEM
    from app.sync.heads.schemas import SigningKeyOut, SigningKeysOut
    from app.sync.heads.service import list_uses

    async with runtime.reading(SYSTEM) as reader:
        return SigningKeysOut(items=[SigningKeyOut.of(use) for use in await list_uses(reader)])


async def _rotate(runtime: "Runtime") -> "SigningKeysOut":
    from app.access.domain import SYSTEM
    from app.sync.heads.service import rotate_keys

    async with runtime.writing(SYSTEM) as unit:
        await rotate_keys(unit, runtime.settings)
    return await _list(runtime)
