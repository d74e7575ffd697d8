import base64
import io
from collections.abc import Callable
from datetime import date

import pytest
from PIL import Image

from app.identity import mrz
from tests.support.bodies import (
    Json,
    check_body,
    deterrence_body,
    entry_body,
    merged,
    mrz_of,
    photo,
    urgent_body,
)

MAKERS = [entry_body, urgent_body, deterrence_body]


def test_objects_are_merged_in_depth_and_an_ellipsis_leaves_out():
    body = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert merged(body, {"a": {"b": 3}, "d": ...}) == {"a": {"b": 3, "c": [1]}}
    assert merged(body, {"a": None, "e": {"f": 4}}) == {"a": None, "d": 2, "e": {"f": 4}}
    assert body == {"a": {"b": 1, "c": [1]}, "d": 2}


@pytest.mark.parametrize("make", MAKERS)
def test_two_bodies_never_share_a_person_or_a_letter(make: Callable[..., Json]):
    bodies = [make() for _ in range(300)]
    for said in (
        lambda body: body["subject"]["full_name"],
        lambda body: body["subject"]["documents"][0]["number"],
        lambda body: body["basis"]["number"],
        lambda body: body["basis"]["case_reference"],
    ):
        assert len({said(body) for body in bodies}) == len(bodies)


def test_the_photo_is_a_real_picture():
    sent = photo()
    picture = Image.open(io.BytesIO(base64.b64decode(sent["data"])))
    picture.load()
    assert picture.format == "JPEG"


@pytest.mark.parametrize("make", MAKERS)
def test_a_passports_zone_says_what_the_body_says(make: Callable[..., Json]):
    for _ in range(100):
        subject = make()["subject"]
        zone = mrz.parse(mrz_of(subject), date(2026, 11, 23))
        assert zone.format == "TD3"
        assert not zone.fails
        assert not zone.warnings
        assert zone.document_number == subject["documents"][0]["number"]
        assert zone.nationality == subject["nationalities"][0]
        assert zone.birth is not None
        assert zone.birth.date == subject["birth"]["date"]
        assert zone.sex == subject["sex"]
        assert zone.expiry == subject["documents"][0]["expires_on"]


def test_a_check_asks_about_the_bodys_person():
    subject = entry_body()["subject"]
    asked = check_body(subject, "entry", person={"name": "Someone Else"})
    assert asked["direction"] == "entry"
    assert asked["document"]["number"] == subject["documents"][0]["number"]
    assert asked["person"]["name"] == "Someone Else"
    assert asked["person"]["birth_date"] == subject["birth"]["date"]
    assert "document" not in check_body({**subject, "documents": []})
