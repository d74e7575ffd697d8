"""Bodies of endpoints, judged before the transaction begins: the name in a URL is looked up, which takes a while."""

import asyncio
from ipaddress import ip_network
from typing import Annotated, Final

from fastapi import Depends, Request

from app.access.admission.guard import actor_for, runtime_of
from app.actor import Actor
from app.errors import Fault, Invalid
from app.settings import Settings
from app.sync.webhooks.addresses import AddressRefused, Guard, target_of
from app.sync.webhooks.names import look_up
from app.sync.webhooks.schemas import EndpointChangeIn, EndpointIn
from app.sync.webhooks.service import OWNERS, Requested

LOOK_UP_SECONDS: Final = 2.0
"""Longest time for the look-up of a host's name."""

_Owner = Annotated[Actor, actor_for(*OWNERS)]


async def _new(request: Request, _: _Owner, body: EndpointIn) -> EndpointIn:
    await expect_reachable(body.requested(), runtime_of(request).settings)
    return body


async def _changed(request: Request, _: _Owner, body: EndpointChangeIn) -> EndpointChangeIn:
    await expect_reachable(body.requested(), runtime_of(request).settings)
    return body


NewEndpointBody = Annotated[EndpointIn, Depends(_new)]
"""Parameter of a route: a new endpoint. It must precede the Unit: its host is looked up without a transaction."""

ChangedEndpointBody = Annotated[EndpointChangeIn, Depends(_changed)]
"""Parameter of a route: a changed endpoint. It must precede the Unit, like `NewEndpointBody`."""


async def expect_reachable(requested: Requested, settings: Settings) -> None:
    """Raise Invalid if an endpoint may not have the requested URL: because of its form, or of the host's address.

    The host's name is resolved for this. If it can't be resolved within 2 s, an https URL is accepted, because the
    address is checked again for each connection; an http URL is refused.

    Raises:
        Invalid: the URL may not be used; the fault at `/url` gives the reason.
    """
    try:
        target = target_of(requested.url)
        allowed = tuple(ip_network(str(each)) for each in settings.webhook_networks)
        guard = Guard(allowed, tuple(map(ip_network, requested.networks)), target.plain)
        if target.literal is not None:
            guard.expect(target.literal)
            return
        guard.expect_all(await _look_up(target.host, target.port, required=target.plain))
    except AddressRefused as refused:
        fault = Fault("/url", "address", str(refused))
        raise Invalid("The endpoint can't have this URL.", faults=[fault]) from None


async def _look_up(host: str, port: int, *, required: bool) -> list[str]:
    """Return the addresses to which a name leads; none where it can't be resolved within two seconds.

    Raises:
        AddressRefused: it can't be resolved, and that is required.
    """
    try:
        async with asyncio.timeout(LOOK_UP_SECONDS):
            found = await look_up(host, port)
    except (OSError, TimeoutError, UnicodeError):
        if required:
            raise AddressRefused(
                "Without https the host's name must lead to the deployment's networks."
            ) from None
        return []
    return [str(address[0]) for _, _, _, _, address in found]
