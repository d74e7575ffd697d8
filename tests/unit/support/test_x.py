async def test_it(http, actors):
    c = await actors.client("submitter")
    r = await http.get("/v1/agencies", headers=c.headers)
    assert r.status_code == 200
async def test_served(served, actors):
    c = await actors.client("checkpoint")
    r = await served.http.get("/v1/checkpoints", headers=c.headers)
    assert r.status_code == 200
