"""What two admins do together, by HTTP."""

from typing import Any

import httpx2

from tests.support.actors import Actors, Caller
from tests.support.steps import expect

Json = dict[str, Any]


async def confirm_change(http: httpx2.AsyncClient, by: Caller, change: Json) -> httpx2.Response:
    """The answer to the confirmation of a change, which may be refused."""
    return await http.post(f"/v1/pending-changes/{change['id']}/confirmation", headers=by.headers)


async def propose(http: httpx2.AsyncClient, by: Caller, path: str, **changes: Any) -> Json:
    """The change of a place that waits for a second admin."""
    read = await http.get(path, headers=by.headers)
    wanted = {name: value for name, value in expect(read, 200).items() if name != "code"} | changes
    return expect(await http.put(path, json=wanted, headers=by.on(read.headers["etag"])), 202)


async def change_place(http: httpx2.AsyncClient, actors: Actors, path: str, **changes: Any) -> Json:
    """A place that two admins have changed in a way that needs both."""
    admin, second = await actors.client("admin"), await actors.client("admin")
    change = await propose(http, admin, path, **changes)
    expect(await confirm_change(http, second, change), 201)
    return expect(await http.get(path, headers=admin.headers), 200)
