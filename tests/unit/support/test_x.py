from tests.support.steps import *
from tests.support.bodies import *
from tests.support.sse import listening
from app.identity.mrz import parse
from datetime import date
import random
async def test_it(http, actors):
    e = await impose(http, actors)
    print(e)
    assert e["in_force"] and e["warnings"] == []
    e = await impose(http, actors, deterrence_body())
    assert e["in_force"] and e["warnings"] == []
    cp = await actors.client("checkpoint")
    r = expect(await http.post("/v1/checks", json=check_body(entry_body()["subject"]), headers=cp.headers), 200)
    print(r)
async def test_served(served, actors):
    c = await actors.client("checkpoint")
    r = await served.http.get("/v1/checkpoints", headers=c.headers)
    assert r.status_code == 200
    async with listening(served.http, c.headers) as stream:
        print(await stream.next("heartbeat"))
        s = await sound(served.http, await actors.client("submitter"))
        assert s["entry"]["warnings"] == []
        print(await stream.next("alert"))
def test_m():
    for i in range(200):
        s = entry_body()["subject"]
        m = parse(mrz_of(s), date(2026,11,23))
        assert not m.fails and not m.warnings, m
