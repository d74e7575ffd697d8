"""Messages to people, their addresses, and what became of them; pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

DRILL_MARK: Final = "LATIHAN / DRILL: "
"""What every channel puts before the subject and the text of a drill."""

LONGEST_DETAIL: Final = 200
"""Characters that are kept of what a server or a command has said."""

_LONGEST_EMAIL: Final = 254
_LONGEST_LOCAL_PART: Final = 64
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL: Final = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})*")
_PAGED: Final = re.compile(r"[A-Za-z0-9+][A-Za-z0-9+._@:#/-]{0,99}")
_MESSAGE_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class ChannelName(StrEnum):
    """The channels that a deployment may have to reach people."""

    EMAIL = "email"
    COMMAND = "command"


class SendState(StrEnum):
    """The result of an attempt to send a message.

    `transient` is a failure after which a repeat may succeed, `permanent` one after which no repeat will.
    """

    SENT = "sent"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one address. It travels unprotected, so it contains nothing about a listed person.

    Attributes:
        id: the same for each repeat of the message, so that receivers recognise repeats.
        address: the recipient's address, in the form of the channel.
        subject: the subject.
        text: the text to read; plain text.
        drill: whether the message belongs to a drill; the channel then marks it with `DRILL_MARK`.

    Raises:
        ValueError: the id has characters besides letters, digits, `_`, `.` and `-`, or more than 100.
    """

    id: str
    address: str
    subject: str
    text: str
    drill: bool

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.fullmatch(self.id):
            raise ValueError("the id of a message goes into headers and variables as it is")

    @property
    def marked_subject(self) -> str:
        """The subject in one line; that of a drill begins with `DRILL_MARK`."""
        return _encodable((DRILL_MARK if self.drill else "") + " ".join(self.subject.split()))

    @property
    def marked_text(self) -> str:
        """The text; that of a drill begins with `DRILL_MARK`."""
        return _encodable((DRILL_MARK if self.drill else "") + self.text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt to send a message.

    Attributes:
        state: whether the message was sent, or failed for now or for good.
        detail: the answer of the server or the command, shortened; for operators.
        ms: milliseconds that the attempt took.
    """

    state: SendState
    detail: str
    ms: float


class Channel(Protocol):
    """A way to send messages to people, such as e-mail. A failure is returned as an `Outcome`, not raised."""

    async def send(self, message: Message) -> Outcome:
        """Try once to send a message, within the channel's time limit. Raises nothing but CancelledError."""


def address_fault(channel: ChannelName, address: str) -> str | None:
    """Return a sentence about what is wrong with the form of an address; None if the form is right.

    An e-mail address is an addr-spec of RFC 5322 in ASCII, without quotes, comments or a name. An address of a command
    (a telephone number, a pager's name) has at most 100 characters: letters, digits and `+._@:#/-`. The first is a
    letter, a digit or `+`.
    """
    if channel is ChannelName.COMMAND:
        well = _PAGED.fullmatch(address)
        return (
            None
            if well
            else "It is up to 100 letters, digits and + . _ @ : # / -, and begins with no sign but +."
        )
    found = _EMAIL.fullmatch(address)
    well_sized = len(address) <= _LONGEST_EMAIL and found and len(found[1]) <= _LONGEST_LOCAL_PART
    return None if well_sized else "It is no e-mail address, such as duty.officer@example.go.id."


def shortened(text: str) -> str:
    """Return a text as one line of printable characters, cut to `LONGEST_DETAIL` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"


def _encodable(text: str) -> str:
    """Return a text without the halves of characters that no encoding can write."""
    return text.encode(errors="replace").decode()
