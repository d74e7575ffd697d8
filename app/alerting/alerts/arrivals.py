"""How long alerts take to be received, by the channel that brought them to the client that confirms them."""

from collections.abc import Callable
from enum import StrEnum

from app.actor import Actor


class Channel(StrEnum):
    """A way by which alerts reach a client; `ELSEWHERE` if this process has sent none to the client's key."""

    STREAM = "stream"
    POLL = "poll"
    ELSEWHERE = "elsewhere"


class Arrivals:
    """The channel by which each key last read alerts at this process.

    A receipt may come to another process than the one whose stream brought the alert. Such receipts count as
    `ELSEWHERE`; which process gets a receipt does not depend on its delay, so the other channels are a fair sample.

    Attributes:
        received: callback for each receipt of a machine: with the channel, and the seconds since the alert's issue.
    """

    def __init__(self) -> None:
        self.received: Callable[[Channel, float], None] = lambda _channel, _seconds: None
        self._channels: dict[str, Channel] = {}

    def note(self, actor: Actor, channel: Channel) -> None:
        """Remember the channel by which an actor's key reads alerts; keys are few, because only admins create them."""
        if actor.key_id is not None:
            self._channels[actor.key_id] = channel

    def measure(self, actor: Actor, seconds: float) -> None:
        """Count the actor's receipt of an alert for the channel of its key; `seconds` have passed since the issue."""
        self.received(self._channels.get(actor.key_id or "", Channel.ELSEWHERE), seconds)
