"""Looks up the addresses of receivers' names, in threads of its own.

The event loop has few threads for look-ups, and none can be cancelled: two names whose server does not answer would
keep all others of the process waiting, those of the database and of the mail server too.
"""

import asyncio
import socket
from contextlib import suppress
from threading import Thread
from typing import Any, Final

THREADS: Final = 128
"""Greatest number of look-ups that run at the same time; further ones fail."""

AddressInfo = tuple[Any, ...]
"""An address as `socket.getaddrinfo` returns it."""

_Key = tuple[str, int, int]
_under_way: dict[_Key, asyncio.Future[list[AddressInfo]]] = {}


async def look_up(host: str, port: int, family: int = socket.AF_UNSPEC) -> list[AddressInfo]:
    """Return the addresses of a host for connections to `port`; simultaneous look-ups of the same host share one.

    This function has no time limit; the caller must set one.

    Args:
        host: the host's name.
        port: the port, which the returned addresses contain.
        family: `socket.AF_INET` or `AF_INET6` for only IPv4 or IPv6 addresses; by default both.

    Raises:
        OSError: the host has no address, the name server has failed, or too many look-ups are running.
        UnicodeError: the name can't be written in the DNS.
    """
    key = (host, port, family)
    loop = asyncio.get_running_loop()
    found = _under_way.get(key)
    if found is None or found.get_loop() is not loop:
        if len(_under_way) >= THREADS:
            raise OSError("too many names are looked up now")
        found = _under_way[key] = loop.create_future()
        found.add_done_callback(lambda done: done.cancelled() or done.exception())  # somebody may have gone
        # A daemon, since the process must not wait for a name server when it ends.
        Thread(target=_look_up, args=(key, loop, found), name="names", daemon=True).start()
    return await asyncio.shield(found)


def _look_up(key: _Key, loop: asyncio.AbstractEventLoop, found: asyncio.Future[list[AddressInfo]]) -> None:
    host, port, family = key
    addresses: list[AddressInfo] = []
    failure: Exception | None = None
    try:
        addresses = list(socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        failure = error

    def settle() -> None:
        if _under_way.get(key) is found:
            del _under_way[key]
        if failure is not None:
            found.set_exception(failure)
        else:
            found.set_result(addresses)

    with suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(settle)
