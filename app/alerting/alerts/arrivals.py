"""How long alerts take to be received, by the transport that brought them to the client that confirms them."""

from collections.abc import Callable
from enum import StrEnum

from app.actor import Actor


class Transport(StrEnum):
    """A way by which alerts reach a client.

    `ELSEWHERE` means that this process has sent no alerts to the client's API key.
    """

    STREAM = "stream"
    POLL = "poll"
    ELSEWHERE = "elsewhere"


class Arrivals:
    """Measures the delay of receipts by the transport through which each API key last read alerts at this process.

    A receipt may come to another process than the one whose stream brought the alert. Such receipts count as
    `ELSEWHERE`; which process gets a receipt does not depend on its delay, so the other transports are a fair sample.

    Attributes:
        received: callback, called by `measure` with the transport and the seconds since the alert's issue.
    """

    def __init__(self) -> None:
        self.received: Callable[[Transport, float], None] = lambda _transport, _seconds: None
        self._transports: dict[str, Transport] = {}

    def note(self, actor: Actor, transport: Transport) -> None:
        """Remember the transport by which an actor's key has just read alerts, in place of an earlier one."""
        if actor.key_id is not None:
            self._transports[actor.key_id] = transport

    def measure(self, actor: Actor, seconds: float) -> None:
        """Call `received` for a receipt of the actor, sent `seconds` after the issue of its alert."""
        self.received(self._transports.get(actor.key_id or "", Transport.ELSEWHERE), seconds)
