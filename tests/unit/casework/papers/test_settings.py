"""What a deployment may say of its letters."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from app.settings import Settings
from app.settings_sources import load_settings


def test_the_letterhead_is_given_line_by_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CEKAL_LETTERHEAD_LINES", "KANTOR CONTOH | Jalan Satu, Nomor 2 |")
    assert load_settings().letterhead_lines == ("KANTOR CONTOH", "Jalan Satu, Nomor 2")


@pytest.mark.parametrize("number", ["CEGAH/{year}", "{sequence}/{client}", "{sequence", "{0}/{sequence}"])
def test_a_number_that_could_not_tell_letters_apart_is_refused(number: str):
    with pytest.raises(ValidationError, match="letter_number"):
        Settings(env="test", letter_number=number)


def test_a_service_that_makes_no_letter_does_not_load_what_makes_them():
    program = "import app.main, sys; assert not {'reportlab', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
