"""Origins as a deployment may name them."""

import pytest
from pydantic import ValidationError

from app.settings import Settings
from app.web.origins import Origins


@pytest.mark.parametrize(
    "wrong", ["*", "null", "desk.example", "https://desk.example/", "https://Desk.example", "ftp://x"]
)
def test_what_is_no_origin_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings(cors_origins=(wrong,), database_url="sqlite:///x")


def test_origins_are_listed_with_commas() -> None:
    given: object = "https://a.example, https://b.example:8443"
    settings = Settings(cors_origins=given)  # type: ignore[arg-type]  # as the environment says it
    assert settings.cors_origins == ("https://a.example", "https://b.example:8443")


def test_the_usual_port_is_left_out_as_browsers_do() -> None:
    given = ("https://a.example:443", "http://b.example:80", "https://c.example:80")
    expected = ("https://a.example", "http://b.example", "https://c.example:80")
    for origin in expected:
        scope = {"headers": [(b"origin", origin.encode())]}
        assert (b"access-control-allow-origin", origin.encode()) in Origins(given).headers(scope)
