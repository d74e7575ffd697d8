"""`cekal client`: creates, ends and reinstates accounts, for a person with control of the machine."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused, with_faults
from app.cli.printing import print_json
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.access.clients.service import NewClient
    from app.runtime import Runtime

_HELP = """
Make and end accounts; `cekal clients` lists them.

A person who controls the machine controls the register: an account made here works at once, also one that
decides or reads everything, and is recorded in the audit trail. Over HTTP that one would wait for a second
admin.
"""

commands = typer.Typer(help=_HELP, no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@commands.command()
def create(  # noqa: PLR0913, PLR0917 - one parameter an option of the documented command
    role: Annotated[
        list[str],
        typer.Option(
            help="What the account may do; repeat for several: submitter, verifier, approver, duty_officer, "
            "supervisor, timpora, auditor or admin for a person; checkpoint, integrator or carrier for a machine."
        ),
    ],
    kind: Annotated[
        str | None, typer.Option(help="What a checkpoint's client is: counter, autogate or manifest.")
    ] = None,
    agency: Annotated[str | None, typer.Option(help="Code of its agency, such as KPK or IMIGRASI.")] = None,
    office: Annotated[
        str | None,
        typer.Option(help="Code of its office, such as KANIM-BATAM; `cekal offices` lists them."),
    ] = None,
    new_office: Annotated[
        bool, typer.Option("--new-office", help="Add the office to its agency, which does not have it yet.")
    ] = False,
    checkpoint: Annotated[str | None, typer.Option(help="Code of its checkpoint, such as CGK.")] = None,
    person: Annotated[
        str | None,
        typer.Option(help="Nationwide employee number (NIP, NRP); needed for every person's role."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="What to call it; by default its roles. For a person the full name: entries about somebody of this "
            "name are hidden from that person."
        ),
    ] = None,
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
    """Create an account and its first key. The key is shown only here.

    For example:

        cekal client create --role submitter --agency KPK --person 198001012005011001

        cekal client create --role checkpoint --checkpoint CGK --kind counter --json

    Prints {"id": "cli_…", "key": "…"} with --json.

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR; CEKAL_KEY_LIFETIME_DAYS (how long a key holds).
    """
    from app.errors import Invalid

    requested = _new_client(
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
        client_id, key, added = with_register(
            lambda runtime: _create(runtime, requested, gateway=gateway, new_office=new_office)
        )
    except Invalid as error:
        raise Refused(with_faults(error.detail, error.faults), usage=True) from None
    if as_json:
        print_json({"id": client_id, "key": key})
        return
    if added:
        typer.echo(
            f"The office {requested.office} of {requested.agency} was added, its province not known yet."
        )
    typer.echo(f"{client_id} can work at once. Its key, shown this once:")
    typer.echo(key)


@commands.command()
def revoke(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The account's id, such as cli_01jd….")],
) -> None:
    """End an account and all its keys; streams that it has open end within a second.

    An admin's account ends at once too: here no second admin has to confirm it. Nothing changes if the account is
    revoked already.

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
    """Reactivate an admin, or an admin's keys, after another admin has suspended them.

    An admin who revokes another admin, or the other's key, over HTTP only suspends it, until a second admin confirms
    the revocation. Before that confirmation this command drops the revocation and ends the suspension.

    For example:

        cekal client reinstate cli_01jd…

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    with_register(lambda runtime: _reinstate(runtime, client_id))
    typer.echo(f"{client_id} works again.")


def _new_client(**given: Any) -> "NewClient":
    from pydantic import ValidationError

    from app.access.clients.service import NewClient
    from app.access.schemas import ClientIn
    from app.web.faults import in_body

    try:
        body = ClientIn(**given)
    except ValidationError as error:
        detail = "The account can't be made like this."
        raise Refused(with_faults(detail, in_body(error, given)), usage=True) from None
    values = body.model_dump()
    return NewClient(**{**values, "roles": frozenset(body.roles), "networks": tuple(body.networks)})


async def _create(
    runtime: "Runtime", requested: "NewClient", *, gateway: bool, new_office: bool
) -> tuple[str, str, bool]:
    from app.access.clients.service import issue_key, register_client
    from app.access.domain import SYSTEM
    from app.access.places.service import ensure_office

    async with runtime.writing(SYSTEM) as unit:
        added = False
        if new_office and requested.agency and requested.office:
            added = await ensure_office(unit, requested.agency, requested.office)
        client = await register_client(unit, requested, confirmed=True)
        lifetime = runtime.settings.key_lifetime_days
        _, text = await issue_key(unit, client.id, None, lifetime, confirmed=True, gateway=gateway)
    return client.id, text, added


async def _revoke(runtime: "Runtime", client_id: str) -> None:
    from app.access.clients.revocations import revoke_client
    from app.access.domain import SYSTEM

    async with runtime.writing(SYSTEM) as unit:
        await revoke_client(unit, client_id, final=True)


async def _reinstate(runtime: "Runtime", client_id: str) -> None:
    from app.access.clients.revocations import reinstate_client
    from app.access.domain import SYSTEM

    async with runtime.writing(SYSTEM) as unit:
        await reinstate_client(unit, client_id)
