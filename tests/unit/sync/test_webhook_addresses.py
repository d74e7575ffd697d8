"""Places that a webhook must not reach, in every form in which they can be written."""

import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from app.settings import Settings
from app.sync.webhooks.addresses import AddressRefused, Guard, target_of
from app.sync.webhooks.bodies import expect_reachable
from app.sync.webhooks.sending import Outcome, Sender
from app.sync.webhooks.service import Requested
from tests.support.receivers import Receiver, receiving

REFUSED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.1.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
NEVER = [
    "0.0.0.0",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "2001:0:a9fe:a9fe::1",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
]
EVERYTHING = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize("text", REFUSED)
def test_addresses_that_are_not_of_the_public_internet_are_refused(text: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().expect(ip_address(text))


@pytest.mark.parametrize("text", NEVER)
def test_no_setting_allows_link_local_addresses_and_metadata_in_any_wrapping(text: str) -> None:
    with pytest.raises(AddressRefused):
        Guard(EVERYTHING).expect(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "103.28.1.1", "2001:4860:4860::8888", "2404:6800::1"])
def test_public_addresses_are_reached_over_tls_only(text: str) -> None:
    Guard().expect(ip_address(text))
    with pytest.raises(AddressRefused):
        Guard(plain=True).expect(ip_address(text))


def test_a_setting_allows_private_networks_and_an_endpoint_may_narrow_them() -> None:
    inside, other = ip_address("10.1.2.3"), ip_address("10.9.9.9")
    allowed = (ip_network("10.0.0.0/8"),)
    Guard(allowed, plain=True).expect(inside)
    narrow = Guard(allowed, (ip_network("10.1.0.0/16"),))
    narrow.expect(inside)
    with pytest.raises(AddressRefused):
        narrow.expect(other)
    with pytest.raises(AddressRefused):
        Guard((), (ip_network("10.1.0.0/16"),)).expect(inside)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://1.2.3/",
        "https://127.0.0.1.:443/",
        "https://[::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[1.2.3.4]/",
        "https://[v1.x]/",
        "https://[::1/",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://@example.org/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org#@127.0.0.1/",
        "https://example.org/#",
        "https://example.org /",
        "https://example.org\t/",
        "https://example.org/\n",
        "https://ex\u0430mple.org/",
        "https://\uff11\uff12\uff17.0.0.1/",
        "https://example.org./",
        "https://exa_mple.org/",
        "https://-example.org/",
        "https://example..org/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:x/",
        "https:///path",
        "https:example.org",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "//example.org/",
        "example.org",
        "",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_forms_that_programs_read_in_different_ways_are_no_urls(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_of(url)


def test_where_a_url_leads() -> None:
    found = target_of("HTTPS://Example.org:8443/a?b=c")
    assert (found.host, found.port, found.plain, found.literal) == ("example.org", 8443, False, None)
    assert target_of("http://[2001:DB8::1]/").literal == ip_address("2001:db8::1")
    assert target_of("https://192.0.2.1").port == 443


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


async def posted(settings: Settings, url: str, *networks: str) -> Outcome:
    """What comes of a request, over new connections."""
    sender = Sender(settings)
    try:
        return await sender.post(url, networks, {}, b"{}", 5.0)
    finally:
        await sender.close()


def settings_with(*networks: str) -> Settings:
    return Settings(webhook_networks=networks)  # type: ignore[arg-type]  # Pydantic reads texts


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_connection_is_refused_to_a_literal_as_to_a_name(receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    refused = await posted(settings_with(), url)
    assert (refused.status, refused.error) == (
        None,
        "The address is private, or none of the public Internet.",
    )
    assert receiver.taken == []
    allowed = await posted(settings_with("127.0.0.0/8", "::1/128"), url)
    assert allowed.status == 204
    outside = await posted(settings_with("127.0.0.0/8", "::1/128"), url, "10.0.0.0/8")
    assert (outside.status, outside.error) == (None, "The address is outside the endpoint's networks.")
    assert len(receiver.taken) == 1


def leading_to(monkeypatch: pytest.MonkeyPatch, *rounds: list[str]) -> None:
    """Let every name lead to some addresses, each time to the next ones, as a hostile server of names would."""
    answers = iter(rounds)

    def getaddrinfo(_host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in next(answers)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def test_a_name_that_leads_elsewhere_after_it_was_judged_is_judged_again(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    url = receiver.url.replace("http://127.0.0.1", "https://rebound.example")
    leading_to(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    await expect_reachable(Requested(url, ()), settings_with())
    refused = await posted(settings_with(), url)
    assert refused.error == "The address is private, or none of the public Internet."
    assert receiver.taken == []


async def test_one_refused_address_among_others_refuses_the_name(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    leading_to(monkeypatch, ["127.0.0.1", "10.0.0.1"])
    url = receiver.url.replace("127.0.0.1", "two.example")
    refused = await posted(settings_with("127.0.0.0/8"), url)
    assert refused.error == "The address is private, or none of the public Internet."
    assert receiver.taken == []


async def test_a_redirect_to_metadata_is_not_followed(receiver: Receiver) -> None:
    receiver.status, receiver.headers = 302, {"Location": "http://169.254.169.254/latest/meta-data/"}
    outcome = await posted(settings_with("127.0.0.0/8"), receiver.url)
    assert (outcome.status, outcome.error) == (302, None)


async def test_of_a_long_answer_sixteen_kilobytes_are_read(receiver: Receiver) -> None:
    receiver.status, receiver.text = 200, "x" * 10_000_000
    outcome = await posted(settings_with("127.0.0.0/8"), receiver.url)
    assert (outcome.status, len(outcome.answer)) == (200, 16_384)


async def test_a_receiver_that_does_not_answer_in_time_is_given_up(receiver: Receiver) -> None:
    receiver.hold.clear()
    sender = Sender(settings_with("127.0.0.0/8"))
    outcome = await sender.post(receiver.url, (), {}, b"{}", 0.05)
    await sender.close()
    assert (outcome.status, outcome.error) == (None, "There was no answer in time.")


def test_a_process_without_endpoints_does_without_aiohttp() -> None:
    told = "import sys, app.main, app.worker; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
