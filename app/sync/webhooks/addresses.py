"""The guard against requests to places that a webhook must not reach (SSRF): forms of URLs, and IP addresses.

An endpoint's URL is judged when it is set, and each address again when a connection to it is made: a name may lead
elsewhere by then. Redirects are never followed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 2000

_URL = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
"""The characters of a URL (RFC 3986): no blanks, no backslash, which programs read in different ways."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

NEVER: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host
            "169.254.0.0/16",  # link-local: metadata of most clouds
            "100.100.100.200/32",  # metadata of one cloud, amid shared address space
            "168.63.129.16/32",  # of another, amid public addresses
            "192.0.0.192/32",  # of a third
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "::/128",
            "fe80::/10",  # link-local
            "fd00:ec2::254/128",  # metadata
            "fd20:ce::254/128",  # metadata
            "ff00::/8",  # multicast
        ),
    )
)
"""Networks that no setting allows."""

_PRIVATE: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared address space (CGNAT)
            "127.0.0.0/8",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
        ),
    )
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")
"""What of IPv6 is given out for the public Internet; some of it is not, as follows."""

_PRIVATE_V6: Final[tuple[IPv6Network, ...]] = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",
            "3fff::/20",
            "3ffe::/16",
        ),
    )
)

_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE: Final = IPv6Network("::/96")
_TRANSLATED: Final = IPv6Network("::ffff:0:0:0/96")


class AddressRefused(Exception):
    """A URL or an IP address that an endpoint of webhooks must not have; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides to which IP addresses the service may connect for one endpoint.

    Public addresses are allowed with TLS, addresses in the deployment's networks with and without TLS. Link-local
    addresses and those of cloud metadata are always refused.

    Args:
        allowed: the deployment's networks; addresses in them may be private, and be reached without TLS.
        only: the endpoint's own networks: other addresses are refused as well; empty for no such restriction.
        plain: whether the connection is without TLS.
    """

    allowed: tuple[Network, ...] = ()
    only: tuple[Network, ...] = ()
    plain: bool = False

    def expect(self, address: Address) -> None:
        """Raise AddressRefused if the service may not connect to an address.

        Raises:
            AddressRefused: the address is refused; the message gives the reason.
        """
        _expect_possible(address)
        inside = _within(address, self.allowed)
        if not inside and not _is_public(address):
            raise AddressRefused("The address is private, or none of the public Internet.")
        if not inside and self.plain:
            raise AddressRefused("Without https only addresses in the deployment's networks are reached.")
        if self.only and not _within(address, self.only):
            raise AddressRefused("The address is outside the endpoint's networks.")

    def expect_all(self, texts: Iterable[str]) -> None:
        """Raise AddressRefused if the service may not connect to one of these addresses; an empty list is accepted.

        Args:
            texts: the IP addresses as texts.

        Raises:
            AddressRefused: one of the addresses is refused, or a text is not an address.
        """
        for text in texts:
            try:
                address = ip_address(text)
            except ValueError:
                raise AddressRefused("The name leads to something that is no address.") from None
            self.expect(address)


def _expect_possible(address: Address) -> None:
    """Raise AddressRefused for an address that no setting allows, also for one inside another.

    Raises:
        AddressRefused: it is such an address.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise AddressRefused("The address is link-local.")
    for each in (address, *_embedded(address)):
        if _within(each, NEVER):
            raise AddressRefused("The address is link-local, a cloud's metadata, or of no single host.")


def _embedded(address: Address) -> Sequence[IPv4Address]:
    """Return the IPv4 addresses that an IPv6 address leads to, by any way of translation or tunnelling."""
    if isinstance(address, IPv4Address):
        return ()
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    found = []
    if (
        address.ipv4_mapped is not None
        or address in _TRANSLATED
        or (address in _COMPATIBLE and int(address) > 1)
        or any(address in network for network in _NAT64)
    ):
        found.append(last)
    elif address.sixtofour is not None:
        found.append(address.sixtofour)
    elif address.teredo is not None:
        found += address.teredo
    return found


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, _PRIVATE)
    return address in _GLOBAL_V6 and not _within(address, _PRIVATE_V6)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@dataclass(frozen=True, slots=True)
class Target:
    """The host and port of a URL.

    Attributes:
        host: the name or address, in lower case; an IPv6 address without brackets.
        port: the port; the default port of the scheme if the URL has none.
        plain: whether the scheme is http, without TLS.
        literal: the address if the host is an IP address; None if it is a name.
    """

    host: str
    port: int
    plain: bool
    literal: Address | None


@lru_cache(maxsize=4096)  # each delivery asks again
def target_of(url: str) -> Target:
    """Return the host and port of an endpoint's URL. Whether the host's address may be reached is not checked.

    Raises:
        AddressRefused: the URL is too long or malformed, is not https or http, or has a user, a fragment, or a host
            that is neither a DNS name nor an address in the usual form.
    """
    if len(url) > LONGEST_URL or not _URL.fullmatch(url):
        raise AddressRefused("A URL has up to 2000 characters of ASCII, without blanks and backslashes.")
    parts, port = _split(url)
    if parts.scheme not in {"https", "http"}:
        raise AddressRefused("The URL begins with https://.")
    if "@" in parts.netloc:
        raise AddressRefused("A URL contains no name of a user and no password.")
    if "#" in url:
        raise AddressRefused("A URL of an endpoint has no fragment.")
    host = (parts.hostname or "").lower()
    if not host or "%" in host:
        raise AddressRefused("The URL has no host, or one of this machine's own network.")
    plain = parts.scheme == "http"
    return Target(
        host, port or (80 if plain else 443), plain, _literal(host, in_brackets="[" in parts.netloc)
    )


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("This is no URL.") from None
    if port == 0:
        raise AddressRefused("There is no port 0.")
    return parts, port


def _literal(host: str, *, in_brackets: bool) -> Address | None:
    """Return the address that a host is, or None for a name.

    Raises:
        AddressRefused: it is a name that can't exist, or a form of an address that programs read in different ways.
    """
    if in_brackets:
        try:
            return IPv6Address(host)
        except ValueError:
            raise AddressRefused("The host is no IPv6 address.") from None
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):  # programs take it for an IPv4 address: decimal, hexadecimal or octal
        try:
            return IPv4Address(host)
        except ValueError:
            raise AddressRefused("An IPv4 address has four decimal numbers.") from None
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):  # noqa: PLR2004 - RFC 1035
        raise AddressRefused("The host is no name of the DNS, in ASCII and without a dot at the end.")
    return None
