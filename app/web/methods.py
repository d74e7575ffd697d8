"""Methods that every route gets automatically: HEAD with every GET, and OPTIONS (RFC 9110 section 9.3)."""

from typing import Final

from fastapi.routing import iter_route_contexts
from starlette.types import Scope

GET: Final = "GET"
HEAD: Final = "HEAD"
OPTIONS: Final = "OPTIONS"

WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""The methods with a request body."""

_EVERY: Final = ("DELETE", GET, HEAD, OPTIONS, "POST", "PUT")
"""The methods in the answer to `OPTIONS *`, which concerns the whole service."""
_AS_HEAD: Final = "head"


def as_get(scope: Scope) -> Scope:
    """Return a copy of a HEAD request's scope with the method GET, for the application; `is_head` is true of it."""
    scope["state"][_AS_HEAD] = True
    return {**scope, "method": GET}


def is_head(scope: Scope) -> bool:
    """Return whether the request came as a HEAD (see `as_get`); its endpoint can then skip waits and the content."""
    return _AS_HEAD in scope.get("state", ())


def allowed_methods(scope: Scope) -> list[str]:
    """Return the methods of a request's path, in alphabetical order; an empty list for a path without a route.

    OPTIONS is always among them, and HEAD where GET is.

    The methods are collected from all routes that match the path. If a route's path is literally the same
    (`/v1/checks/batch`), routes whose template matches it too (`/v1/checks/{check_id}`) do not count.
    """
    path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
    methods: set[str] = set()
    own: set[str] = set()
    for context in iter_route_contexts(scope["app"].routes):
        regex = getattr(context, "path_regex", None)
        if regex is not None and regex.match(path):
            (own if context.path_format == path else methods).update(context.methods or ())
    found = own or methods
    if GET in found:
        found.add(HEAD)
    return sorted({*found, OPTIONS}) if found else []


def methods_for_options(scope: Scope) -> list[str]:
    """Return the methods for the answer to OPTIONS: those of the path, or of the whole service for the path `*`."""
    return list(_EVERY) if scope["path"] == "*" else allowed_methods(scope)
