"""The examples of the OpenAPI document are what they claim to be."""

import json
from datetime import UTC, datetime
from typing import Any

from app.border.manifests.edifact import decode, segments
from app.border.manifests.intake import from_json, from_list
from app.border.manifests.paxlst import read
from app.main import create_app
from app.settings import Settings

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def documented() -> dict[str, Any]:
    document: dict[str, Any] = create_app(
        Settings(env="test", database_url="postgresql://nowhere/nothing")
    ).openapi()
    return document


def test_the_examples_ask_about_the_same_passenger_and_can_be_asked() -> None:
    document = documented()
    sent = document["paths"]["/v1/manifests"]["post"]["requestBody"]["content"]
    assert set(sent) == {"application/json", "application/edifact"}
    twin = sent["application/json"]["examples"]["arrival"]["value"]
    asked = from_json(json.dumps(twin).encode(), NOW)
    listed = read(sent["application/edifact"]["example"].encode())
    assert listed.warnings == []
    (one,), (other,) = asked.passengers, from_list(listed, {}, NOW).passengers
    assert (one.reference, one.fault, other.reference, other.fault) == ("0001", None, "0001", None)
    assert one.questions[0].keys == other.questions[0].keys
    assert one.questions[0].traveller.names == other.questions[0].traveller.names


def test_the_example_of_a_response_counts_itself() -> None:
    operation = documented()["paths"]["/v1/manifests"]["post"]
    example = operation["responses"]["201"]["content"]["application/edifact"]["example"]
    told = list(segments(decode(example.encode())))
    header, trailer = (next(each for each in told if each.tag == tag) for tag in ("UNH", "UNT"))
    assert int(trailer.get(0)) == trailer.number - header.number + 1
    assert [each.get(0) for each in told if each.tag == "ERC"] == ["0Z"]
