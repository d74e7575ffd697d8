"""Schemathesis makes requests of the API's document, and every role sends them; no answer may differ from the document.

Its time is bounded: a few requests for each call, the same ones in every run. Streams, which stay open, and the waits
of polls are left to tests of their own.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.access.domain import Role
from app.main import create_app
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.cli import ROOT
from tests.support.clock import SettableClock
from tests.support.served import LONGEST, serving

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
REQUESTS: Final = 2
"""For each call; each is sent by every role."""

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def send(call: Any, mode: GenerationMode, url: str, keys: Mapping[Role, str], answered: set[int]) -> None:
    """Send a few requests of one call as every role, and hold the answers against the document."""

    @bounds(
        max_examples=REQUESTS,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=call.as_strategy(generation_mode=mode))
    def as_everybody(case: Case) -> None:
        if isinstance(case.query, dict):
            case.query.pop("wait", None)
        with requests.Session() as session:
            for key in keys.values():
                answer = case.call(
                    base_url=url, session=session, headers={"Authorization": f"Bearer {key}"}, timeout=LONGEST
                )
                case.validate_response(answer, checks=CHECKS)
                answered.add(answer.status_code)

    with contextlib.suppress(Unsatisfiable):  # nothing can be wrong with a call that takes nothing
        as_everybody()


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_no_answer_differs_from_the_document(
    mode: GenerationMode, settings: Settings, clock: SettableClock, actors: Actors
):
    document = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text(encoding="utf-8")))
    calls = [each.ok() for each in document.get_all_operations()]
    keys = {role: (await actors.client(role)).key for role in Role}
    differing: list[str] = []
    answered: set[int] = set()
    with serving(create_app(settings, clock)) as url:
        for call in calls:
            if call.path.endswith("/stream"):
                continue
            try:
                await asyncio.to_thread(send, call, mode, url, keys, answered)
            except Exception as error:  # noqa: BLE001 - all of them are told together
                differing.append(f"{call.label}: {error}")
    assert differing == []
    assert answered >= {200, 403, 404, 422}
