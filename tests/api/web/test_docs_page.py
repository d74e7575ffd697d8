"""`/docs` in a closed network: whatever the page loads comes from this service, and nothing else may."""

from html.parser import HTMLParser

import pytest
from httpx2 import AsyncClient

from app.web.docs_page import POLICY


class Loads(HTMLParser):
    """What a page loads, and the scripts that it holds itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline = ""
        self._script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag in {"script", "style"}
        if tag != "a":
            self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if self._script:
            self.inline += data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag not in {"script", "style"}


async def test_every_file_that_the_page_loads_is_served_here(http: AsyncClient):
    page = await http.get("/docs")
    assert page.status_code == 200
    loads = Loads(page.text)
    own = [address for address in loads.addresses if not address.startswith("data:")]
    assert len(own) == 3
    kinds = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
    for address in own:
        assert address.startswith("/docs/")
        answer = await http.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            kinds[address.rpartition(".")[2]],
        )
        assert answer.content
        assert "public" in answer.headers["cache-control"]
    assert "SwaggerUIBundle" in (await http.get("/docs/swagger-ui-bundle.js")).text
    started = (await http.get("/docs/start.js")).text
    assert 'url: "/v1/openapi.json"' in started
    assert "validatorUrl: null" in started, "Swagger UI would ask a public host whether the document is valid"


async def test_the_page_may_load_from_nowhere_else(http: AsyncClient):
    page = await http.get("/docs")
    assert page.headers.get_list("content-security-policy") == [POLICY]
    sources = dict(part.strip().split(" ", 1) for part in POLICY.split(";"))
    assert sources["default-src"] == "'none'"
    assert {word for words in sources.values() for word in words.split()} == {"'none'", "'self'", "data:"}
    assert Loads(page.text).inline == "", "the policy runs no script and no style of the page's own text"


async def test_the_files_licence_is_served_beside_them(http: AsyncClient):
    assert "Apache License" in (await http.get("/docs/LICENSE")).text


@pytest.mark.parametrize("name", ["swagger-ui.js", "..%2f..%2f__init__.py", "%00", "%2e%2e%2f"])
async def test_other_files_are_not(http: AsyncClient, name: str):
    assert (await http.get(f"/docs/{name}")).status_code == 404
