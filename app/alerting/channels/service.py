"""Which channels a deployment has, and which addresses they take."""

import shlex
from collections.abc import Collection, Mapping

from app.alerting.channels.command import Command
from app.alerting.channels.domain import Channel, ChannelName, address_fault
from app.alerting.channels.smtp import Smtp
from app.errors import Fault
from app.settings import Settings


def available(settings: Settings) -> Mapping[ChannelName, Channel]:
    """Return the channels that the settings configure, by name.

    `email` needs CEKAL_SMTP_HOST and CEKAL_SMTP_FROM, `command` needs CEKAL_PAGE_COMMAND. The result is empty if
    neither is configured.
    """
    channels: dict[ChannelName, Channel] = {}
    if settings.smtp_host is not None and settings.smtp_from is not None:
        password = settings.smtp_password
        channels[ChannelName.EMAIL] = Smtp(
            host=settings.smtp_host,
            port=settings.smtp_port,
            tls=settings.smtp_tls,
            authorities=settings.smtp_authorities,
            user=settings.smtp_user,
            password=password.get_secret_value() if password else None,
            sender=settings.smtp_from,
            seconds=settings.smtp_seconds,
        )
    if settings.page_command is not None:
        arguments = tuple(shlex.split(settings.page_command))
        channels[ChannelName.COMMAND] = Command(arguments, settings.page_seconds)
    return channels


def check_address(channels: Collection[ChannelName], channel: str, address: str, pointer: str) -> list[Fault]:
    """Return the faults of a channel and address in a request; empty if the channel exists and the address fits it.

    Args:
        channels: the channels of the deployment.
        channel: the channel's name as it was sent.
        address: the address as it was sent.
        pointer: JSON pointer to the object with the members `channel` and `address`.
    """
    if channel not in channels:
        detail = "This deployment has no such channel."
        return [Fault(f"{pointer}/channel", "unavailable", detail)]
    fault = address_fault(ChannelName(channel), address)
    return [] if fault is None else [Fault(f"{pointer}/address", "malformed", fault)]
