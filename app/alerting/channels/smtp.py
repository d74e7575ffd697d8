"""E-mail by SMTP (RFC 5321), to the one server that the deployment names."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

from app.alerting.channels.domain import ChannelName, Message, Outcome, SendState, address_fault, shortened

if TYPE_CHECKING:
    from aiosmtplib import SMTP

_REFUSED: Final = range(500, 600)
_FAREWELL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Smtp:
    """The channel `email`: sends each message to one SMTP server.

    A reply of 5xx is a permanent failure. A reply of 4xx, a refused or lost connection, the end of the time limit, and
    a server that does not protect the connection as demanded are transient failures. If the connection is lost after
    the text was sent, the server may have taken it; a repeat has the same Message-ID.

    Attributes:
        host: the server.
        tls: how the connection is protected; with `starttls` and `tls` no login and no message is sent in the clear.
        authorities: PEM file of the authorities that may have signed the server's certificate; None: the system's.
        user: the name to log in with; None for no login.
        sender: the address in From, to which the server reports what it could not deliver.
        seconds: time limit of one message, from connecting to the server's last reply.
    """

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    authorities: Path | None
    user: str | None
    password: str | None
    sender: str
    seconds: float

    async def send(self, message: Message) -> Outcome:
        """Try once to send a message, within the time limit; an address with a fault fails permanently."""
        begun = perf_counter()
        state, detail = SendState.PERMANENT, address_fault(ChannelName.EMAIL, message.address)
        if detail is None:
            state, detail = await self._deliver(message)
        return Outcome(state, shortened(detail), (perf_counter() - begun) * 1000)

    async def _deliver(self, message: Message) -> tuple[SendState, str]:
        from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

        client: SMTP | None = None
        try:
            async with asyncio.timeout(self.seconds):
                client = self._client()
                await client.connect()
                _, reply = await client.send_message(self._mail(message))
        except SMTPRecipientsRefused as error:
            return _by_code(error.recipients[0].code, error.recipients[0].message)
        except SMTPResponseException as error:
            return _by_code(error.code, error.message)
        except TimeoutError:
            return SendState.TRANSIENT, f"The server took longer than {self.seconds:g} s."
        except (SMTPException, OSError) as error:
            return SendState.TRANSIENT, str(error) or type(error).__name__
        else:
            await _take_leave(client)
            return SendState.SENT, reply
        finally:
            if client is not None:
                client.close()

    def _client(self) -> "SMTP":
        from aiosmtplib import SMTP

        return SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            timeout=self.seconds,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            tls_context=None if self.tls == "none" else _tls_context(self.authorities),
        )

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        domain = self.sender.rpartition("@")[2]
        mail["From"] = Address(addr_spec=self.sender)
        mail["To"] = Address(addr_spec=message.address)
        mail["Subject"] = message.marked_subject
        mail["Date"] = datetime.now(UTC)
        mail["Message-ID"] = f"<{message.id}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office reply is called for
        mail.set_content(message.marked_text, cte="quoted-printable")
        return mail


@cache
def _tls_context(authorities: Path | None) -> ssl.SSLContext:
    """Return the context of all connections; making one takes 30 ms."""
    return ssl.create_default_context(cafile=authorities)


def _by_code(code: int, reply: str) -> tuple[SendState, str]:
    return SendState.PERMANENT if code in _REFUSED else SendState.TRANSIENT, f"{code} {reply}"


async def _take_leave(client: "SMTP") -> None:
    """End the session politely; the server has taken the message already, so nothing here changes the outcome."""
    from aiosmtplib import SMTPException

    with suppress(SMTPException, OSError, TimeoutError):
        await client.quit(timeout=_FAREWELL_SECONDS)
