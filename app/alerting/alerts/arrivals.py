"""How long alerts take to be received, by the channel that brought them to the client that confirms them."""

from collections.abc import Callable
from enum import StrEnum

from app.actor import Actor


class Channel(StrEnum):
    """A way by which alerts reach a client.

    `ELSEWHERE` means that this process has sent no alerts to the client's API key.
    """

    STREAM = "stream"
    POLL = "poll"
    ELSEWHERE = "elsewhere"


class Arrivals:
    """Measures the delay of receipts by the channel through which each API key last read alerts at this process.

    A receipt may come to another process than the one whose stream brought the alert. Such receipts count as
    `ELSEWHERE`; which process gets a receipt does not depend on its delay, so the other channels are a fair sample.

    Attributes:
        received: callback, called by `measure` with the channel and the seconds since the alert's issue.
    """

    def __init__(self) -> None:
        self.received: Callable[[Channel, float], None] = lambda _channel, _seconds: None
        self._channels: dict[str, Channel] = {}

    def note(self, actor: Actor, channel: Channel) -> None:
        """Remember the channel by which an actor's key has just read alerts; it replaces the earlier channel."""
        if actor.key_id is not None:
            self._channels[actor.key_id] = channel

    def measure(self, actor: Actor, seconds: float) -> None:
        """Call `received` for a receipt of the actor: with the channel of its key, and the seconds since the issue."""
        self.received(self._channels.get(actor.key_id or "", Channel.ELSEWHERE), seconds)
