"""`cekal clients`, `agencies`, `checkpoints` and `offices`: list the accounts and places in the register."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json, print_table
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.access.domain import Key
    from app.runtime import Runtime

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Code = Annotated[
    str | None, typer.Argument(metavar="CODE", help="Only this one, with all that is known of it.")
]

_PAGE = 500


def clients(
    client_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Only this one, with its keys, such as cli_01jd….")
    ] = None,
    expiring: Annotated[
        int | None,
        typer.Option(
            metavar="DAYS", min=0, help="Only those that work, but have no key for more than DAYS days."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the accounts, oldest first, and until when each has a key that works; keys are never shown.

    For example:

        cekal clients --expiring 30

        cekal clients cli_01jd… --json

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    found = with_register(lambda runtime: _clients(runtime, client_id, expiring))
    if client_id is not None:
        if not found:
            raise Refused(f"There is no client {client_id}: `cekal clients` lists them.", usage=True)
        _print_one(found[0], as_json=as_json)
        return
    if as_json:
        print_json({"items": found})
        return
    columns = (
        "id",
        "name",
        "roles",
        "agency",
        "office",
        "checkpoint",
        "kind",
        "person",
        "state",
        "key_until",
    )
    _print_rows(columns, [{**client, "roles": ", ".join(client["roles"])} for client in found])


def agencies(code: Code = None, as_json: Json = False) -> None:
    """List the agencies that may ask for bans, and their telephone numbers, which counters call.

    For example:

        cekal agencies

        cekal agencies KPK

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    _print_places(
        "agency", "agencies", ("code", "name_id", "parent", "phone", "active"), code, as_json=as_json
    )


def checkpoints(code: Code = None, as_json: Json = False) -> None:
    """List the checkpoints (TPI).

    For example:

        cekal checkpoints CGK

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    columns = ("code", "name", "mode", "city", "province", "zone", "active")
    _print_places("checkpoint", "checkpoints", columns, code, as_json=as_json)


def offices(code: Code = None, as_json: Json = False) -> None:
    """List the agencies' offices.

    For example:

        cekal offices KANIM-BATAM

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    columns = ("code", "agency", "name", "city", "province", "active")
    _print_places("office", "offices", columns, code, as_json=as_json)


def _print_places(kind: str, plural: str, columns: Sequence[str], code: str | None, *, as_json: bool) -> None:
    found = with_register(lambda runtime: _places(runtime, kind, code))
    if code is None:
        if as_json:
            print_json({"items": found})
        else:
            _print_rows(columns, found)
        return
    if not found:
        raise Refused(f"There is no {kind} {code}: `cekal {plural}` lists them.", usage=True)
    _print_one(found[0], as_json=as_json)


def _print_rows(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    print_table(columns, [[_cell(row[column]) for column in columns] for row in rows])


def _print_one(item: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(item)
        return
    flat = {name: value for name, value in item.items() if name != "keys"}
    print_table(("", ""), [(name, _cell(value)) for name, value in flat.items()])
    if item.get("keys"):
        typer.echo()
        _print_rows(("id", "state", "created_at", "expires_at", "gateway"), item["keys"])


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


async def _clients(runtime: "Runtime", client_id: str | None, expiring: int | None) -> list[dict[str, Any]]:
    from app.access import store
    from app.access.domain import SYSTEM, Standing
    from app.access.schemas import ClientOut, KeyOut

    items: list[dict[str, Any]] = []
    async with runtime.reading(SYSTEM) as reader:
        found, after = [], None
        while page := await store.list_clients(reader, after, _PAGE):
            found += [client for client in page if client_id in {None, client.id}]
            after = page[-1].id
        keys: dict[str, list[Key]] = {client.id: [] for client in found}
        for key in await store.list_keys_of(reader, keys):
            keys[key.client_id].append(key)
        soon = reader.now + timedelta(days=expiring or 0)
        for client in found:
            ends = [
                key.expires_at
                for key in keys[client.id]
                if client.standing is key.standing is Standing.ACTIVE and key.expires_at > reader.now
            ]
            if expiring is not None and (
                client.standing is not Standing.ACTIVE or max(ends, default=reader.now) > soon
            ):
                continue
            shown = ClientOut.of(client).model_dump(mode="json")
            shown["key_until"] = max(ends).date().isoformat() if ends else None
            shown["keys"] = [KeyOut.of(key).model_dump(mode="json") for key in keys[client.id]]
            items.append(shown)
    return items


async def _places(runtime: "Runtime", kind: str, code: str | None) -> list[dict[str, Any]]:
    from app.access.domain import SYSTEM, Agency, Checkpoint, Office
    from app.access.places.store import list_places

    of_kind: type[Any] = {"agency": Agency, "checkpoint": Checkpoint, "office": Office}[kind]
    items: list[dict[str, Any]] = []
    async with runtime.reading(SYSTEM) as reader:
        while page := await list_places(reader, of_kind, items[-1]["code"] if items else None, _PAGE):
            items += [asdict(place) for place in page]
    return [item for item in items if code in {None, item["code"]}]
