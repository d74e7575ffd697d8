"""General checks of an authenticated request (media types, query parameters), the same for all kinds of routes.

A raw route is served by an ASGI function. Its endpoint is never called, and only declares parameters, body and answer.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from fastapi._compat import ModelField, Undefined
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.types import Scope

from app.errors import NotAcceptable, UnsupportedMediaType
from app.web.accept import JSON, accepted_by, media_type, preferred
from app.web.bodies import expect_single, read_json
from app.web.parameters import expect_parameters, parameters_of

EVENT_STREAM: Final = "text/event-stream"

MODELS: Final = "models"
"""The attribute of an endpoint with the models of media types that it answers beside JSON; see `raw.documented`."""

E = TypeVar("E", bound=Callable[..., Any])

_NO_CONTENT: Final = 204
_UTF_8: Final = frozenset({None, "utf-8", "utf8", "us-ascii"})
"""The accepted values of `charset` with JSON, which is always UTF-8; other values contradict that."""


def answering(models: Mapping[str, Any]) -> Callable[[E], E]:
    """Return a decorator that stores `models` with an endpoint: the models of its answers, by media type.

    The model of JSON is the endpoint's return type and is left out.
    """

    def mark(endpoint: E) -> E:
        setattr(endpoint, MODELS, models)
        return endpoint

    return mark


@dataclass(frozen=True, slots=True)
class RequestRules:
    """The query parameters and media types of a route.

    Attributes:
        parameters: the names of its query parameters.
        lists: the names of the query parameters that may be repeated.
        request_types: the media types of the route's request body; empty without a body.
        answer_types: the media types of the route's successful answer, the default first; empty without content.
        fields: the query parameters with their schemas, for `read_parameters`.
        content: the parameters of the path, and the body, with their schemas, for `read_content`.
    """

    parameters: AbstractSet[str]
    lists: AbstractSet[str]
    request_types: tuple[str, ...]
    answer_types: tuple[str, ...]
    fields: tuple[ModelField, ...] = ()
    content: tuple[tuple[ModelField, ...], tuple[ModelField, ...]] = ((), ())

    @classmethod
    def of(cls, route: APIRoute) -> "RequestRules":
        """Derive the parameters and media types of a route, as in the OpenAPI document."""
        return cls(
            *parameters_of(route.dependant),
            request_types=_request_types(route),
            answer_types=_answer_types(route),
            fields=tuple(route.dependant.query_params),
            content=(tuple(route.dependant.path_params), tuple(route.dependant.body_params)),
        )

    def expect(self, scope: Scope) -> None:
        """Raise unless a request's `Content-Type`, `Accept` and query parameters fit the route.

        Raises:
            UnsupportedMediaType: the body has another media type, or is JSON with a `charset` other than UTF-8. Without
                `Content-Type` it counts as JSON.
            NotAcceptable: the request accepts none of the route's media types.
            RequestValidationError: a query parameter is unknown, or repeated.
        """
        content_type = accept = None
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value
            elif name == b"accept":
                accept = value
        if content_type is not None and self.request_types:
            self._expect_request_type(content_type.decode("latin-1"))
        if accept is not None and accept != b"*/*" and self.answer_types:
            self._expect_accepted(accepted_by(scope["headers"]))
        if scope["query_string"]:
            expect_parameters(QueryParams(scope["query_string"]), self.parameters, self.lists)

    def _expect_request_type(self, content_type: str) -> None:
        media, charset = media_type(content_type)
        if media not in self.request_types:
            raise UnsupportedMediaType(f"The body of this call is {' or '.join(self.request_types)}.")
        if media == JSON and charset not in _UTF_8:
            raise UnsupportedMediaType("JSON is in UTF-8 (RFC 8259 section 8.1).")

    def _expect_accepted(self, accept: str) -> None:
        if preferred(accept, self.answer_types) is None:
            raise NotAcceptable(f"This call answers {' or '.join(self.answer_types)}.")


def expect_rules(scope: Scope) -> None:
    """Raise unless a request fits the rules of the raw route that serves it; call it after authentication.

    Raises:
        UnsupportedMediaType: the body has another media type, or is JSON with a `charset` other than UTF-8.
        NotAcceptable: the request accepts none of the route's media types.
        RequestValidationError: a query parameter is unknown, or repeated.
    """
    rules: RequestRules = scope["state"]["rules"]
    rules.expect(scope)


def read_parameters(scope: Scope) -> tuple[dict[str, Any], Sequence[Any]]:
    """Read the query parameters of a request to a raw route, as the endpoint that documents it declares them.

    Returns:
        The values by the names of the endpoint's parameters, defaults included; and the faults. The faults are not
        raised: the caller gives them to RequestValidationError.
    """
    rules: RequestRules = scope["state"]["rules"]
    return request_params_to_args(rules.fields, QueryParams(scope["query_string"]))


def read_sent(body: bytes) -> Any:
    """Parse the JSON body of a request to a raw route, for `read_content`.

    Returns the parsed body; for an empty one FastAPI's `Undefined`, which `read_content` takes as a missing body.

    Raises:
        MalformedJson: the body is not JSON.
        Invalid: an object in it has repeated members.
    """
    if not body:
        return Undefined
    sent = read_json(body)
    expect_single(sent)
    return sent


async def read_content(scope: Scope, sent: Any) -> dict[str, Any]:
    """Validate the path and the body of a request to a raw route, as the endpoint that documents it declares them.

    Args:
        scope: the request's ASGI scope.
        sent: the body, from `read_sent`.

    Returns:
        The values by the names of the endpoint's parameters.

    Raises:
        RequestValidationError: the path or the body has faults, or the body is missing.
    """
    rules: RequestRules = scope["state"]["rules"]
    path, model = rules.content
    values, faults = request_params_to_args(path, scope["path_params"])
    received, others = await request_body_to_args(list(model), sent, embed_body_fields=False)
    if faults or others:
        raise RequestValidationError([*faults, *others], body=sent)
    return values | received


def _request_types(route: APIRoute) -> tuple[str, ...]:
    if route.body_field is None:
        return ()
    others = (route.openapi_extra or {}).get("requestBody", {}).get("content", {})
    return (JSON, *(each for each in others if each != JSON))


def _answer_types(route: APIRoute) -> tuple[str, ...]:
    found: dict[str, None] = {}
    if route.response_model is not None:
        found[JSON] = None
    elif (usual := _usual(route.response_class)) is not None and route.status_code != _NO_CONTENT:
        found[usual] = None
    for status, response in route.responses.items():
        if str(status).startswith("2"):
            found |= dict.fromkeys([JSON] if response.get("model") else [])
            found |= dict.fromkeys(response.get("content", ()))
    only_events = EVENT_STREAM in found and not hasattr(route.endpoint, MODELS)
    return (EVENT_STREAM,) if only_events else tuple(found)


def _usual(response_class: Any) -> str | None:
    """Return the media type of a class of responses; None if the class has none."""
    made = response_class.value if isinstance(response_class, DefaultPlaceholder) else response_class
    media: str | None = made.media_type
    return media
