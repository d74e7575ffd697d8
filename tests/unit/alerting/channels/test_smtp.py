"""E-mail: what a server on this machine gets, and what its replies mean for the message."""

import asyncio
import base64
import socket
from pathlib import Path
from typing import Any

import pytest

from app.alerting.channels.domain import Message, SendState
from app.alerting.channels.smtp import Smtp
from tests.support.smtp import CLOSE, DRIP, HANG, TEXT, certificate_in, smtp_server
from tests.support.waiting import until

MESSAGE = Message(
    "esc_01abc",
    "duty@example.go.id",
    "Peringatan / alert",
    "Segera hubungi é.\n.\nA third line.",
    drill=False,
)


def channel(port: int, folder: Path, **given: Any) -> Smtp:
    values: dict[str, Any] = {
        "host": "localhost",
        "port": port,
        "tls": "starttls",
        "authorities": certificate_in(folder),
        "user": None,
        "password": None,
        "sender": "cekal@imigrasi.example",
        "seconds": 10.0,
    }
    return Smtp(**(values | given))


async def test_a_mail_names_itself_its_sender_and_that_a_machine_wrote_it(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as mailbox:
        outcome = await channel(mailbox.port, tmp_path).send(MESSAGE)
        await channel(mailbox.port, tmp_path).send(MESSAGE)
    assert (outcome.state, outcome.detail) == (SendState.SENT, "2.0.0 queued as 4711")
    assert outcome.ms > 0
    mail, repeat = mailbox.mails
    assert mail["From"] == "cekal@imigrasi.example"
    assert mail["To"] == "duty@example.go.id"
    assert mail["Subject"] == "Peringatan / alert"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == repeat["Message-ID"] == "<esc_01abc@imigrasi.example>"
    assert mail["Date"].datetime.utcoffset().total_seconds() == 0
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n").rstrip("\n") == MESSAGE.text
    envelope = [line for line, _ in mailbox.commands if line.upper().startswith(("MAIL", "RCPT"))][:2]
    assert envelope[0].upper().startswith("MAIL FROM:<CEKAL@IMIGRASI.EXAMPLE>")
    assert envelope[1].upper().startswith("RCPT TO:<DUTY@EXAMPLE.GO.ID>")


async def test_a_drill_is_marked(tmp_path: Path) -> None:
    drill = Message("try_1", "duty@example.go.id", "Two\r\nBcc: lines@example.org", "text", drill=True)
    async with smtp_server(tmp_path) as mailbox:
        await channel(mailbox.port, tmp_path).send(drill)
    [mail] = mailbox.mails
    assert mail["Subject"] == "LATIHAN / DRILL: Two Bcc: lines@example.org"
    assert mail["Bcc"] is None
    assert mail.get_content().startswith("LATIHAN / DRILL: text")


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_it_logs_in_and_sends_over_tls_only(tmp_path: Path, tls: str) -> None:
    async with smtp_server(tmp_path, tls=tls == "tls") as mailbox:
        mail = channel(mailbox.port, tmp_path, tls=tls, user="cekal", password="s3cret")
        assert (await mail.send(MESSAGE)).state is SendState.SENT
    secret = base64.b64encode(b"\0cekal\0s3cret").decode()
    assert ("AUTH PLAIN " + secret, True) in mailbox.commands
    assert {
        encrypted
        for line, encrypted in mailbox.commands
        if line.split(" ")[0].upper() not in {"EHLO", "STARTTLS"}
    } == {True}
    assert len(mailbox.mails) == 1


async def test_it_sends_in_the_clear_only_when_that_is_set(tmp_path: Path) -> None:
    async with smtp_server(tmp_path, starttls=False) as mailbox:
        refused = await channel(mailbox.port, tmp_path).send(MESSAGE)
        assert (refused.state, mailbox.mails) == (SendState.TRANSIENT, [])
        assert "STARTTLS" in refused.detail
        assert (await channel(mailbox.port, tmp_path, tls="none").send(MESSAGE)).state is SendState.SENT


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_server_with_another_certificate_gets_nothing(tmp_path: Path, tls: str) -> None:
    async with smtp_server(tmp_path, tls=tls == "tls") as mailbox:
        outcome = await channel(
            mailbox.port, tmp_path, tls=tls, authorities=None, user="u", password="p"
        ).send(MESSAGE)
    assert outcome.state is SendState.TRANSIENT
    assert "certificate" in outcome.detail.lower()
    assert not {"MAIL", "AUTH"} & set(mailbox.verbs())


@pytest.mark.parametrize(
    ("name", "reply", "state"),
    [
        ("greeting", "421 4.3.2 not now", SendState.TRANSIENT),
        ("greeting", "554 5.3.2 no mail here", SendState.PERMANENT),
        ("AUTH", "454 4.7.0 later", SendState.TRANSIENT),
        ("AUTH", "535 5.7.8 wrong password", SendState.PERMANENT),
        ("MAIL", "451 4.3.0 later", SendState.TRANSIENT),
        ("MAIL", "550 5.7.1 not from you", SendState.PERMANENT),
        ("RCPT", "450 4.2.0 greylisted", SendState.TRANSIENT),
        ("RCPT", "550 5.1.1 no such user", SendState.PERMANENT),
        ("DATA", "452 4.3.1 full", SendState.TRANSIENT),
        (TEXT, "451 4.3.0 later", SendState.TRANSIENT),
        (TEXT, "554 5.6.0 spam", SendState.PERMANENT),
        (TEXT, "not a reply", SendState.TRANSIENT),
        *(
            (name, CLOSE, SendState.TRANSIENT)
            for name in ("greeting", "EHLO", "STARTTLS", "MAIL", "RCPT", "DATA", TEXT)
        ),
    ],
)
async def test_a_reply_says_whether_sending_again_may_help(
    tmp_path: Path, name: str, reply: str, state: SendState
) -> None:
    async with smtp_server(tmp_path, {name: reply}) as mailbox:
        outcome = await channel(mailbox.port, tmp_path, user="cekal", password="s3cret").send(MESSAGE)
    assert outcome.state is state
    assert mailbox.mails == []
    if reply[0] in "45":
        assert outcome.detail.startswith(reply[:3])
    assert outcome.detail


@pytest.mark.parametrize("how", [HANG, DRIP])
@pytest.mark.parametrize("name", ["greeting", "EHLO", "STARTTLS", "RCPT", TEXT])
async def test_a_server_that_hangs_is_given_up(tmp_path: Path, name: str, how: str) -> None:
    async with smtp_server(tmp_path, {name: how}) as mailbox:
        outcome = await channel(mailbox.port, tmp_path, seconds=0.3).send(MESSAGE)
    assert (outcome.state, outcome.detail) == (SendState.TRANSIENT, "The server took longer than 0.3 s.")


@pytest.mark.parametrize("reply", [CLOSE, HANG, "500 what?"])
async def test_a_mail_that_was_taken_is_sent_whatever_follows(tmp_path: Path, reply: str) -> None:
    async with smtp_server(tmp_path, {"QUIT": reply}) as mailbox:
        assert (await channel(mailbox.port, tmp_path).send(MESSAGE)).state is SendState.SENT
    assert len(mailbox.mails) == 1


async def test_no_server_is_transient(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = await channel(port, tmp_path, host="127.0.0.1").send(MESSAGE)
    assert outcome.state is SendState.TRANSIENT
    nowhere = await channel(25, tmp_path, host="nowhere.invalid").send(MESSAGE)
    assert nowhere.state is SendState.TRANSIENT
    unread = await channel(25, tmp_path, authorities=tmp_path / "missing.pem").send(MESSAGE)
    assert unread.state is SendState.TRANSIENT


@pytest.mark.parametrize(
    "address", ["duty@example.go.id\r\nRCPT TO:<x@example.org>", "Duty <duty@example.go.id>", "@", ""]
)
async def test_what_is_no_address_is_never_sent(tmp_path: Path, address: str) -> None:
    async with smtp_server(tmp_path) as mailbox:
        outcome = await channel(mailbox.port, tmp_path).send(Message("a", address, "s", "t", drill=False))
    assert (outcome.state, mailbox.commands) == (SendState.PERMANENT, [])


async def test_a_cancelled_mail_leaves_no_connection(tmp_path: Path) -> None:
    async with smtp_server(tmp_path, {"MAIL": HANG}) as mailbox:
        sending = asyncio.create_task(channel(mailbox.port, tmp_path).send(MESSAGE))
        await until(lambda: "MAIL" in mailbox.verbs())
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
