"""The codes of places in manifests: checkpoints by their own code, airports by their UN/LOCODE too."""

import pytest

from app.access.domain import Checkpoint
from app.border.manifests.places import checkpoint_named, is_indonesian

PLACES = {
    code: Checkpoint(code, code, mode, None, None, "Asia/Jakarta", active=code != "HLP")
    for code, mode in (("CGK", "air"), ("HLP", "air"), ("BTC", "sea"), ("IDXYZ", "land"), ("XYZ", "air"))
}


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("CGK", "CGK"),
        ("IDCGK", "CGK"),
        ("HLP", "HLP"),
        ("BTC", "BTC"),
        ("IDBTC", None),
        ("IDXYZ", "IDXYZ"),
        ("SGCGK", None),
        ("IDSYD", None),
        ("SYD", None),
        ("", None),
    ],
)
def test_a_code_names_a_checkpoint_and_a_locode_its_airport(code: str, named: str | None) -> None:
    found = checkpoint_named(code, PLACES)
    assert (found.code if found else None) == named


@pytest.mark.parametrize(
    ("code", "here"),
    [
        ("CGK", True),
        ("HLP", True),
        ("BTC", False),
        ("IDJKT", True),
        ("IDBTC", True),
        ("SGSIN", False),
        ("", False),
    ],
)
def test_airports_and_locodes_are_here_and_not_the_codes_of_other_checkpoints(
    code: str, *, here: bool
) -> None:
    assert is_indonesian(code, PLACES) is here
