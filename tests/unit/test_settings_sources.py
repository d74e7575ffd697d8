"""Where settings come from, and that nothing in these places is passed over."""

from pathlib import Path

import pytest

from app.settings import Settings
from app.settings_sources import Source, list_settings, load_settings
from tests.support.cli import cekal

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that CEKAL_SETTINGS names."""
    path = tmp_path / "cekal.env"
    path.touch()
    monkeypatch.setenv("CEKAL_SETTINGS", str(path))
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CEKAL_{name.upper()}", raising=False)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "DATABASE_URL=postgresql://host/name\n",
            "line 1: DATABASE_URL is no setting; CEKAL_DATABASE_URL is one",
        ),
        ("CEKAL_DATABASEURL=x\n", "line 1: CEKAL_DATABASEURL is no setting; CEKAL_DATABASE_URL is one"),
        ("# a comment\n\nCEKAL_SURPLUS=1\n", "CEKAL_SURPLUS is no setting"),
        ("PATH=/bin\n", "line 1: PATH is no setting"),
        ("CEKAL_SETTINGS=other.env\n", "CEKAL_SETTINGS is no setting"),
        ("export LOG_LEVEL=INFO\n", "LOG_LEVEL is no setting; CEKAL_LOG_LEVEL is one"),
        ("CEKAL_LOG_LEVEL=INFO\nCEKAL_LOG_LEVEL=DEBUG\n", "line 2: CEKAL_LOG_LEVEL was set above already"),
        ("CEKAL_LOG_LEVEL=INFO\nCEKAL_POOL_SIZE: 3\n", "line 2"),
        ("a sentence\n", "line 1: no setting is written like this"),
        ("CEKAL_LOG_LEVEL='INFO\n", "line 1: no setting is written like this"),
    ],
)
def test_a_line_that_is_no_setting_is_refused_with_its_number(file: Path, text: str, words: str):
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        load_settings()


def test_a_variable_that_is_no_setting_is_refused_with_what_may_be_meant(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CEKAL_POOLSIZE", "3")
    with pytest.raises(ValueError, match="CEKAL_POOLSIZE; CEKAL_POOL_SIZE is one"):
        load_settings()


def test_the_environment_wins_and_each_origin_is_named(file: Path, monkeypatch: pytest.MonkeyPatch):
    file.write_text("# a comment\nCEKAL_POOL_SIZE=3\nexport CEKAL_LOG_LEVEL=warning\n", encoding="utf-8")
    monkeypatch.setenv("CEKAL_POOL_SIZE", "4")
    found = {each.name: each for each in list_settings()}
    assert (found["CEKAL_POOL_SIZE"].value, found["CEKAL_POOL_SIZE"].source) == ("4", Source.ENVIRONMENT)
    assert (found["CEKAL_LOG_LEVEL"].value, found["CEKAL_LOG_LEVEL"].source) == ("WARNING", Source.FILE)
    assert (found["CEKAL_STREAMS_LIMIT"].value, found["CEKAL_STREAMS_LIMIT"].source) == (
        "10000",
        Source.DEFAULT,
    )


def test_secrets_are_hidden(file: Path):
    file.write_text(
        "CEKAL_KEY_PEPPER=peppery-and-long\nCEKAL_DATABASE_URL=postgresql://cekal:sesame@db/cekal\n",
        encoding="utf-8",
    )
    shown = " ".join(f"{each.value} {each.default}" for each in list_settings())
    assert "pepper" not in shown.replace("key-pepper", "")
    assert "sesame" not in shown
    assert "db/cekal" in shown


def test_every_setting_has_a_meaning():
    assert [name for name, info in Settings.model_fields.items() if not info.description] == []


def test_the_page_of_settings_is_what_the_command_prints(tmp_path: Path):
    told = cekal("settings", "--markdown", cwd=tmp_path)
    assert told.out == (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
