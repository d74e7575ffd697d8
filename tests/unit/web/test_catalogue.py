"""The catalogue of problems is complete and fit to be read."""

import re

import pytest

from app import errors
from app.web.catalogue import CATALOGUE, ProblemKind

# API section 2, and the statuses it fixes.
FIXED = {
    "validation": 422,
    "missing-subject-data": 422,
    "wni-cannot-be-deterred": 422,
    "period-required": 422,
    "period-too-long": 422,
    "lifetime-not-allowed": 422,
    "witness-not-allowed": 422,
    "stage-not-allowed": 422,
    "instrument-mismatch": 422,
    "photo-invalid": 422,
    "four-eyes": 403,
    "wrong-agency": 403,
    "wrong-role": 403,
    "unauthenticated": 401,
    "not-found": 404,
    "method-not-allowed": 405,
    "wrong-state": 409,
    "extension-exhausted": 409,
    "extension-late": 409,
    "urgent-not-repeatable": 409,
    "duplicate-entry": 409,
    "stale-version": 412,
    "version-required": 428,
    "idempotency-key-required": 400,
    "idempotency-mismatch": 422,
    "idempotency-in-flight": 409,
    "secret-already-shown": 409,
    "cursor-gone": 410,
    "body-too-large": 413,
    "rate-limited": 429,
    "not-stored": 503,
}


def test_every_fixed_slug_has_its_status():
    assert {slug: CATALOGUE[slug].status for slug in FIXED} == FIXED


def test_every_error_of_the_application_has_a_problem():
    def below(kind: type[errors.CekalError]) -> set[type[errors.CekalError]]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    assert {kind.slug for kind in below(errors.CekalError)} <= CATALOGUE.keys()


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.slug)
def test_a_problem_is_named_and_explained(kind: ProblemKind):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert kind.type == f"/problems/{kind.slug}"
    assert 400 <= kind.status <= 599
    for title in (kind.title, kind.title_id):
        assert title[0].isupper()
        assert not title.endswith(".")
        assert len(title) <= 80
    assert kind.title != kind.title_id
    for text in (kind.cause, kind.remedy):
        assert text[0].isupper()
        assert text.endswith(".")


def test_titles_are_told_apart():
    for titles in ([kind.title for kind in CATALOGUE.values()], [k.title_id for k in CATALOGUE.values()]):
        assert len(set(titles)) == len(titles)
