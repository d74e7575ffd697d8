"""`cekal client`: a person who controls the machine makes, lists and ends accounts."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused, with_faults
from app.cli.printing import print_json, print_table
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.access.service import NewClient
    from app.runtime import Runtime

_HELP = """
Make, list and end accounts.

A person who controls the machine controls the register: an account made here works at once, also one that
decides or reads everything, and is recorded in the audit trail. Over HTTP that one would wait for a second
admin.
"""

commands = typer.Typer(help=_HELP, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

_PAGE = 500


@commands.command()
def create(  # noqa: PLR0913, PLR0917 - one parameter an option of the contract
    role: Annotated[
        list[str],
        typer.Option(
            help="What it may do; repeat for several: submitter, verifier, approver, duty_officer, supervisor, "
            "timpora, auditor or admin for a person; checkpoint, integrator or carrier for a machine."
        ),
    ],
    kind: Annotated[
        str | None, typer.Option(help="What a checkpoint's client is: counter, autogate or manifest.")
    ] = None,
    agency: Annotated[str | None, typer.Option(help="Code of its agency, such as KPK or IMIGRASI.")] = None,
    office: Annotated[
        str | None,
        typer.Option(
            help="Code of its office, such as KANIM-BATAM; one that its agency does not have is added."
        ),
    ] = None,
    checkpoint: Annotated[str | None, typer.Option(help="Code of its checkpoint, such as CGK.")] = None,
    person: Annotated[
        str | None,
        typer.Option(help="Nationwide employee number (NIP, NRP); needed for every person's role."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it; by default its roles.")] = None,
    network: Annotated[
        list[str] | None, typer.Option(help="Only from this network (CIDR); repeat for several.")
    ] = None,
    gateway: Annotated[
        bool,
        typer.Option(
            "--gateway", help="Many listen behind its key: it may open as many streams as a process takes."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an account and its first key. The key is shown this once.

    For example:

        cekal client create --role submitter --agency KPK --person 198001012005011001

        cekal client create --role checkpoint --checkpoint CGK --kind counter --json

    Prints {"id": "cli_…", "key": "…"} with --json.

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR; CEKAL_KEY_LIFETIME_DAYS (how long a key holds).
    """
    from app.errors import Invalid

    wanted = _wanted(
        name=name or " and ".join(role),
        roles=role,
        kind=kind,
        agency=agency,
        office=office,
        checkpoint=checkpoint,
        person=person,
        networks=network or [],
    )
    try:
        client_id, key, added = with_register(lambda runtime: _create(runtime, wanted, gateway=gateway))
    except Invalid as error:
        raise Refused(with_faults(error.detail, error.faults), usage=True) from None
    if as_json:
        print_json({"id": client_id, "key": key})
        return
    if added:
        typer.echo(
            f"{wanted.agency} had no office {wanted.office}: it was added, its province not known yet."
        )
    typer.echo(f"{client_id} can work at once. Its key, shown this once:")
    typer.echo(key)


@commands.command("list")
def list_all(as_json: Json = False) -> None:
    """List every account, oldest first; keys are never shown.

    For example:

        cekal client list

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    clients = with_register(_list)
    if as_json:
        print_json({"items": clients})
        return
    columns = ("id", "name", "roles", "agency", "office", "checkpoint", "kind", "person", "state")
    rows = [{**client, "roles": ", ".join(client["roles"])} for client in clients]
    print_table(columns, [[row[column] or "" for column in columns] for row in rows])


@commands.command()
def revoke(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The account's id, such as cli_01jd….")],
) -> None:
    """End an account and all its keys; streams that it has open end within a second.

    For example:

        cekal client revoke cli_01jd…

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    with_register(lambda runtime: _revoke(runtime, client_id))
    typer.echo(f"{client_id} is revoked.")


@commands.command()
def reinstate(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The admin's id, such as cli_01jd….")],
) -> None:
    """Let an admin, or an admin's keys, work again after another admin has suspended them.

    Revoking an admin or its key over HTTP suspends at once, and is final once a second admin confirms it. This is the
    way back.

    For example:

        cekal client reinstate cli_01jd…

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    with_register(lambda runtime: _reinstate(runtime, client_id))
    typer.echo(f"{client_id} works again.")


def _wanted(**given: Any) -> "NewClient":
    from pydantic import ValidationError

    from app.access.schemas import ClientIn
    from app.access.service import NewClient
    from app.web.faults import in_body

    try:
        body = ClientIn(**given)
    except ValidationError as error:
        detail = "The account can't be made like this."
        raise Refused(with_faults(detail, in_body(error, given)), usage=True) from None
    values = body.model_dump()
    return NewClient(**{**values, "roles": frozenset(body.roles), "networks": tuple(body.networks)})


async def _create(runtime: "Runtime", wanted: "NewClient", *, gateway: bool) -> tuple[str, str, bool]:
    from app.access.domain import SYSTEM
    from app.access.places import ensure_office
    from app.access.service import issue_key, register_client

    async with runtime.writing(SYSTEM) as unit:
        added = False
        if wanted.agency and wanted.office:
            added = await ensure_office(unit, wanted.agency, wanted.office)
        client = await register_client(unit, wanted, confirmed=True)
        lifetime = runtime.settings.key_lifetime_days
        _, text = await issue_key(unit, client.id, None, lifetime, confirmed=True, gateway=gateway)
    return client.id, text, added


async def _list(runtime: "Runtime") -> list[dict[str, Any]]:
    from app.access import store
    from app.access.domain import SYSTEM
    from app.access.schemas import ClientOut

    clients: list[dict[str, Any]] = []
    async with runtime.reading(SYSTEM) as reader:
        while page := await store.list_clients(reader, clients[-1]["id"] if clients else None, _PAGE):
            clients += [ClientOut.of(client).model_dump(mode="json") for client in page]
    return clients


async def _revoke(runtime: "Runtime", client_id: str) -> None:
    from app.access.domain import SYSTEM
    from app.access.revocations import revoke_client

    async with runtime.writing(SYSTEM) as unit:
        await revoke_client(unit, client_id, final=True)


async def _reinstate(runtime: "Runtime", client_id: str) -> None:
    from app.access.domain import SYSTEM
    from app.access.revocations import reinstate_client

    async with runtime.writing(SYSTEM) as unit:
        await reinstate_client(unit, client_id)
