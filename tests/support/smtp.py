"""An SMTP server on this machine that replies as a test has it reply, and keeps what it was given."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

from tests.support.certificates import CERTIFICATE, KEY

HANG = "hang"
CLOSE = "close"
DRIP = "drip"
"""A reply of more and more lines, none of them the last."""

TEXT = "text"
"""Name of the reply to the text of a message, after DATA."""

_HELLO = "250-localhost\r\n250-AUTH PLAIN\r\n250 8BITMIME"
_HELLO_IN_THE_CLEAR = "250-localhost\r\n250-STARTTLS\r\n250 8BITMIME"


@dataclass(slots=True)
class Mailbox:
    """What came to the server.

    Attributes:
        port: where it listens.
        mails: the accepted messages.
        commands: every command, with whether it came over TLS.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    commands: list[tuple[str, bool]] = field(default_factory=list)

    def verbs(self) -> list[str]:
        """The first words of the commands."""
        return [line.split(" ")[0].upper() for line, _ in self.commands]


def certificate_in(folder: Path) -> Path:
    """A PEM file with the certificate that the server shows, signed by itself."""
    path = folder / "smtp.pem"
    path.write_text(CERTIFICATE + KEY, encoding="ascii")
    return path


@asynccontextmanager
async def smtp_server(
    folder: Path, replies: Mapping[str, str] | None = None, *, tls: bool = False, starttls: bool = True
) -> AsyncIterator[Mailbox]:
    """A server for the block's length.

    Args:
        folder: where its certificate is written.
        replies: by the command's verb, `greeting` or TEXT: the reply in place of the ordinary one, HANG, CLOSE or DRIP.
        tls: whether it speaks TLS from the first byte.
        starttls: whether it offers STARTTLS.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate_in(folder))
    mailbox = Mailbox()
    sessions: set[asyncio.Task[None]] = set()

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sessions.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _Session(
                mailbox, replies or {}, context, reader, writer, encrypted=tls, offers=starttls
            ).serve()
        writer.close()
        sessions.discard(task)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context if tls else None)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        for task in list(sessions):
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)


@dataclass(slots=True)
class _Session:
    mailbox: Mailbox
    replies: Mapping[str, str]
    context: ssl.SSLContext
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encrypted: bool
    offers: bool

    async def serve(self) -> None:
        await self._reply("greeting", "220 localhost ESMTP")
        while line := (await self.reader.readline()).decode().rstrip("\r\n"):
            self.mailbox.commands.append((line, self.encrypted))
            verb = line.split(" ")[0].upper()
            await self._reply(verb, self._ordinary(verb))
            if verb == "STARTTLS":
                await self.writer.start_tls(self.context)
                self.encrypted = True
            elif verb == "DATA" and verb not in self.replies:
                text = await self.reader.readuntil(b"\r\n.\r\n")
                await self._reply(TEXT, "250 2.0.0 queued as 4711")
                if TEXT not in self.replies:
                    mail = BytesParser(policy=default).parsebytes(text[:-3].replace(b"\r\n..", b"\r\n."))
                    assert isinstance(mail, EmailMessage)
                    self.mailbox.mails.append(mail)
            elif verb == "QUIT":
                return

    def _ordinary(self, verb: str) -> str:
        hello = _HELLO if self.encrypted or not self.offers else _HELLO_IN_THE_CLEAR
        return {"EHLO": hello, "AUTH": "235 welcome", "STARTTLS": "220 go ahead", "DATA": "354 go ahead"}.get(
            verb, "250 ok"
        )

    async def _reply(self, name: str, ordinary: str) -> None:
        reply = self.replies.get(name, ordinary)
        if reply == HANG:
            await asyncio.Event().wait()
        if reply == CLOSE:
            raise ConnectionError
        while reply == DRIP:
            self.writer.write(b"220-still here\r\n")
            await self.writer.drain()
            await asyncio.sleep(0.02)
        self.writer.write(f"{reply}\r\n".encode())
        await self.writer.drain()
