"""`cekal clock`: confirms that the machine's clock is right, for a person with control of the machine."""

from datetime import datetime
from typing import TYPE_CHECKING

import typer

from app.cli.register import with_register

if TYPE_CHECKING:
    from app.runtime import Runtime

_HELP = """
Say that the clock is right.

While a service runs it compares its clocks. If they come apart by more than a minute, ends by law, erasures and what
else can't be undone wait: `held_back` of /readyz has the reason, and the admins are notified.
"""

commands = typer.Typer(help=_HELP, no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """One command for now."""


@commands.command()
def accept() -> None:
    """Confirm that the clock is right.

    A process that doubts the clock makes the acts wait that can't be undone, such as ends by law and erasures. After
    this command every such process goes on with them within seconds.

    The command prints the time. If that is wrong, set the clock right at once: what ends or is erased by a wrong clock
    can't be brought back. If the clock has been set right again, the command is not needed. Each use is recorded in
    the audit trail.

    For example:

        cekal clock accept

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    at = with_register(_accept)
    typer.echo(f"Accepted: it is {at.isoformat(timespec='seconds')}.")


async def _accept(runtime: "Runtime") -> datetime:
    from app.access.domain import SYSTEM
    from app.maintenance.standstill.service import accept_clock

    async with runtime.writing(SYSTEM) as unit:
        await accept_clock(unit)
        return unit.now
