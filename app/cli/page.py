"""`cekal page`: sends a drill by one of the deployment's channels, to try its settings."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json

if TYPE_CHECKING:
    from app.alerting.channels.domain import Outcome


def page(
    channel: Annotated[str, typer.Argument(help="The channel: email or command.")],
    address: Annotated[str, typer.Argument(help="An e-mail address, or what the command takes.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
) -> None:
    """Send a drill to one address, by e-mail or by the command that pages.

    The answer of the server or of the command is printed. `transient` is a failure that may pass, `permanent` one that
    will not; both end with exit code 1. The register is not read.

    For example:

        cekal page email duty.officer@example.go.id

        cekal page command +6281200000000 --json

    Settings: CEKAL_SMTP_… and CEKAL_PAGE_….
    """
    outcome = asyncio.run(_send(channel, address))
    if as_json:
        print_json(asdict(outcome))
    else:
        typer.echo(f"{outcome.state} in {outcome.ms:.0f} ms: {outcome.detail}")
    if outcome.state != "sent":
        raise Refused(f"The drill was not sent by {channel}.")


async def _send(name: str, address: str) -> "Outcome":
    from app.alerting.channels.domain import ChannelName, Message
    from app.alerting.channels.service import available, check_address
    from app.kit.clock import system_clock
    from app.kit.ids import new_id
    from app.settings_sources import load_settings

    channels = available(load_settings())
    faults = check_address(channels, name, address, "")
    if faults:
        raise Refused(" ".join(fault.detail for fault in faults), usage=True)
    text = (
        "Ini uji coba saluran pemberitahuan Cekal. Tidak ada tindakan yang diperlukan. / "
        "This is a trial of Cekal's channel for notices. Nothing needs to be done.\n"
    )
    message = Message(new_id("try", system_clock()), address, "Uji coba / trial", text, drill=True)
    return await channels[ChannelName(name)].send(message)
