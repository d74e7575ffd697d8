"""`cekal migrate`: found a register, or bring it up to date."""

import asyncio

import typer

_KEEP = "Back it up apart from the database, and copy it to every machine that serves this register."
_FORMER = "Backups of the database that were made before hold it still."


def migrate() -> None:
    """Create the register, or bring its schema up to date.

    Creates what is missing: tables, the empty ledger, and the reference data (agencies of UU 6/2011 art. 91,
    checkpoints, immigration offices), each once. Safe to repeat, and to run from several machines at once. Run it
    after each new version, before `cekal serve`, which refuses a schema that is not its own.

    For example:

        cekal migrate

        CEKAL_DATABASE_URL=postgresql://cekal:secret@db/cekal cekal migrate

    The key of the keyed hashes of document numbers, the pepper, is made once, in the file key-pepper of CEKAL_DATA_DIR,
    unless CEKAL_KEY_PEPPER gives it. It is never in the database.

    Settings: CEKAL_DATABASE_URL; CEKAL_DATA_DIR; CEKAL_KEY_PEPPER.
    """
    from sqlalchemy.engine import make_url

    from app.access.pepper import PepperAct, pepper_path
    from app.cli.register import settled
    from app.db.migrate import NEWEST
    from app.founding import Founded, found
    from app.wiring import wired_runtime

    settings = settled()

    async def do() -> Founded:
        runtime = wired_runtime(settings)
        try:
            return await found(runtime)
        finally:
            await runtime.close()

    added = asyncio.run(do())
    address = make_url(settings.url).render_as_string(hide_password=True)
    typer.echo(f"{address} has schema {NEWEST}.")
    typer.echo(f"Added: {added.agencies} agencies, {added.checkpoints} checkpoints, {added.offices} offices.")
    where = pepper_path(settings)
    told = {
        PepperAct.MADE: f"The key of the keyed hashes was made in {where}. {_KEEP}",
        PepperAct.MOVED: f"The key of the keyed hashes was moved out of the database, to {where}. {_KEEP} {_FORMER}",
        PepperAct.REMOVED: "CEKAL_KEY_PEPPER is the key of the keyed hashes; the unused one that the database held is "
        "no longer in it.",
    }
    if added.pepper in told:
        typer.echo(told[added.pepper])
    if added.without_agency:
        named = ", ".join(added.without_agency)
        typer.echo(
            f"Integrators of no agency: {named}. They are shown nobody's personal data. Make them anew with "
            "--agency, and end these with `cekal client revoke`."
        )
