"""Which channels a deployment has, and which addresses they take."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.alerting.channels.command import Command
from app.alerting.channels.domain import ChannelName, Message, address_fault
from app.alerting.channels.service import available, check_address
from app.alerting.channels.smtp import Smtp
from app.settings import Settings
from tests.support.cli import cekal
from tests.support.smtp import certificate_in, smtp_server

MAIL: dict[str, Any] = {"smtp_host": "mail.example", "smtp_from": "cekal@imigrasi.example"}


def test_a_deployment_has_the_channels_that_it_has_set() -> None:
    assert available(Settings()) == {}
    channels = available(
        Settings(**MAIL, smtp_user="u", smtp_password="p", page_command="/usr/bin/page --to 'duty officers'")
    )
    assert channels == {
        ChannelName.EMAIL: Smtp(
            "mail.example", 587, "starttls", None, "u", "p", "cekal@imigrasi.example", 20.0
        ),
        ChannelName.COMMAND: Command(("/usr/bin/page", "--to", "duty officers"), 20.0),
    }


@pytest.mark.parametrize(
    "given",
    [
        {"smtp_host": "mail.example"},
        {"smtp_from": "cekal@imigrasi.example"},
        {**MAIL, "smtp_user": "u"},
        {**MAIL, "smtp_password": "p"},
        {**MAIL, "smtp_user": "u", "smtp_password": "p", "smtp_tls": "none"},
        {**MAIL, "smtp_from": "Cekal <cekal@imigrasi.example>"},
        {"page_command": "page --to"},
        {"page_command": "/usr/bin/page 'to"},
    ],
)
def test_settings_that_can_not_work_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**given)


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", "duty@example.go.id"),
        ("email", "a.b+c'd@localhost"),
        ("email", "a" * 64 + "@" + "b" * 63 + ".id"),
        ("command", "+6281200000000"),
        ("command", "duty-officers@pager"),
    ],
)
def test_addresses_that_can_be_reached(channel: str, address: str) -> None:
    assert check_address([*ChannelName], channel, address, "/contacts/0") == []


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("email", ""),
        ("email", "duty"),
        ("email", "duty@"),
        ("email", "duty@example..id"),
        ("email", ".duty@example.id"),
        ("email", "duty@-example.id"),
        ("email", "duty@example.id\n"),
        ("email", "Duty <duty@example.id>"),
        ("email", "a@b.id, c@d.id"),
        ("email", "dut\u00fd@example.id"),
        ("email", "a" * 65 + "@example.id"),
        ("email", "a@" + "b" * 64 + ".id"),
        ("email", "a@" + ".".join(["b" * 50] * 5)),
        ("command", "--help"),
        ("command", "+62 812"),
        ("command", "+62812\n"),
        ("command", "$(reboot)"),
        ("command", ""),
    ],
)
def test_malformed_addresses_are_refused_with_a_pointer(channel: str, address: str) -> None:
    [fault] = check_address([*ChannelName], channel, address, "/contacts/0")
    assert (fault.pointer, fault.code) == ("/contacts/0/address", "malformed")
    assert address_fault(ChannelName(channel), address) == fault.detail


@pytest.mark.parametrize("channel", ["command", "sms", ""])
def test_a_channel_that_the_deployment_lacks_is_refused_with_a_pointer(channel: str) -> None:
    [fault] = check_address(available(Settings(**MAIL)), channel, "+62812", "/contacts/0")
    assert (fault.pointer, fault.code) == ("/contacts/0/channel", "unavailable")


def test_a_message_has_an_id_that_fits_into_headers() -> None:
    for wrong in ("", "a b", "a>b", "a\n", "x" * 101):
        with pytest.raises(ValueError, match="id of a message"):
            Message(wrong, "a", "s", "t", drill=False)


def test_a_text_that_no_encoding_can_write_is_sent_without_that() -> None:
    assert Message("a", "a", "\ud800", "b\ud800", drill=False).marked_text == "b?"


async def test_the_command_line_sends_a_drill(tmp_path: Path) -> None:
    async with smtp_server(tmp_path) as mailbox:
        given = {
            **MAIL,
            "smtp_host": "localhost",
            "smtp_port": mailbox.port,
            "smtp_authorities": certificate_in(tmp_path),
        }
        sent = await asyncio.to_thread(
            cekal, "page", "email", "duty@example.go.id", "--json", cwd=tmp_path, **given
        )
    assert (sent.code, sent.json["state"], sent.json["detail"]) == (0, "sent", "2.0.0 queued as 4711")
    assert [str(mail["Subject"])[:16] for mail in mailbox.mails] == ["LATIHAN / DRILL:"]


def test_the_command_line_names_what_can_not_be_sent(tmp_path: Path) -> None:
    failed = cekal(
        "page", "command", "+62812", cwd=tmp_path, page_command="/bin/sh -c 'echo no credit; exit 3'"
    )
    assert (failed.code, "permanent" in failed.out, "exit code 3: no credit" in failed.out) == (1, True, True)
    assert cekal("page", "command", "no address", cwd=tmp_path, page_command="/bin/true").code == 2
    assert cekal("page", "email", "duty@example.go.id", cwd=tmp_path, page_command="/bin/true").code == 2
