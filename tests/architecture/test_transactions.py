"""A parameter that is made of the body comes before the transaction: no photo is decoded while rows are locked."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from starlette.routing import BaseRoute

from app.access.admission.guard import actor_for, reader_for, unit_for
from app.actor import Actor
from app.main import _routes

OPENING = {unit_for().dependency.__qualname__, reader_for().dependency.__qualname__}
"""Dependencies that open a transaction."""

ADMITTING = {actor_for().dependency.__qualname__}
"""Dependencies that make sure of the caller's role without a transaction."""


def name_of(dependant: Dependant) -> str:
    return getattr(dependant.call, "__qualname__", type(dependant.call).__name__)


def reads_body(dependant: Dependant) -> bool:
    return bool(dependant.body_params) or any(reads_body(each) for each in dependant.dependencies)


def opens(dependant: Dependant) -> bool:
    return name_of(dependant) in OPENING or any(opens(each) for each in dependant.dependencies)


def faults(routes: list[BaseRoute] | tuple[BaseRoute, ...]) -> list[str]:
    """Returns the parameters that read the body within the transaction, or before the caller's role is known."""
    found = []
    for context in iter_route_contexts(routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            opened = False
            for each in route.dependant.dependencies:
                admitted = any(name_of(inner) in ADMITTING for inner in each.dependencies)
                if reads_body(each) and (opened or not admitted):
                    found.append(f"{sorted(route.methods)} {context.path}: {name_of(each)}")
                opened = opened or opens(each)
    return found


def test_what_is_made_of_a_body_is_ready_before_the_transaction() -> None:
    every = [context.original_route for context in iter_route_contexts(_routes())]
    guarded = [each for each in every if isinstance(each, APIRoute)]
    assert sum(any(opens(each) for each in route.dependant.dependencies) for route in guarded) > 50
    assert sum(any(reads_body(each) for each in route.dependant.dependencies) for route in guarded) >= 6
    assert faults(_routes()) == []


class Body(BaseModel):
    text: str


async def made(_: Annotated[Actor, actor_for()], body: Body) -> str:
    return body.text


async def made_for_anybody(body: Body) -> str:
    return body.text


def test_a_wrong_order_would_be_found() -> None:
    router = APIRouter()
    the_unit, text, anybodys = unit_for(), Depends(made), Depends(made_for_anybody)

    @router.post("/right")
    async def right(text: Annotated[str, text], unit: Annotated[Any, the_unit]) -> None: ...

    @router.post("/late")
    async def late(unit: Annotated[Any, the_unit], text: Annotated[str, text]) -> None: ...

    @router.post("/unknown")
    async def unknown(text: Annotated[str, anybodys], unit: Annotated[Any, the_unit]) -> None: ...

    assert faults(router.routes) == ["['POST'] /late: made", "['POST'] /unknown: made_for_anybody"]
