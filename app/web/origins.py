"""Cross-origin calls (CORS): web pages of other hosts may call only if the deployment lists their origins.

Keys are sent in `Authorization`, never in cookies, so that a page can send only its own key; credentials are not
allowed.
"""

import re
from collections.abc import Iterable
from typing import Final

from starlette.types import Scope

from app.web.openapi_headers import COMPONENTS

Header = tuple[bytes, bytes]

_USUAL_PORT: Final = re.compile(r"^(https(?=.*:443$)|http(?=:.*:80$))(.*):[0-9]+$")
_VARY: Final[Header] = (b"vary", b"origin")
_READABLE: Final[Header] = (b"access-control-expose-headers", ", ".join(sorted(COMPONENTS)).encode())
_SENDABLE: Final[Header] = (
    b"access-control-allow-headers",
    b"Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range",
)
_AN_HOUR: Final[Header] = (b"access-control-max-age", b"3600")


class Origins:
    """Makes the CORS headers by which browsers let web pages of allowed origins call the API.

    As a truth value it is False if no origin is allowed.

    Args:
        allowed: the origins, each as `https://host`, with a port unless it is the default one.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(_USUAL_PORT.sub(r"\1\2", each).encode("ascii") for each in allowed)

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def headers(self, scope: Scope, methods: Iterable[str] = ()) -> list[Header]:
        """Return the CORS headers of the answer to a request; only `Vary` unless the request names an allowed origin.

        Args:
            scope: the request's ASGI scope.
            methods: the methods of the path, for the answer to a browser's preflight request (OPTIONS, without a key);
                empty for every other answer.
        """
        origin, is_preflight = None, False
        for name, value in scope["headers"]:
            if name == b"origin":
                origin = value
            elif name == b"access-control-request-method":
                is_preflight = True
        if origin not in self._allowed or origin is None:
            return [_VARY]
        found = [_VARY, (b"access-control-allow-origin", origin)]
        if is_preflight and methods:
            allowed = (b"access-control-allow-methods", ", ".join(methods).encode())
            return [*found, allowed, _SENDABLE, _AN_HOUR]
        return [*found, _READABLE]
