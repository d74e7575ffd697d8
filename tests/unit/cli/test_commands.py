"""Running a command inside this process: how it ends."""

from typing import NoReturn

import pytest

from app.cli import lists
from app.cli.commands import run
from app.cli.failures import INTERRUPTED, Refused, guarded


def test_ctrl_c_is_told_in_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(lists, "with_register", interrupted)
    assert guarded(lambda: run(["clients"])) == INTERRUPTED
    assert capsys.readouterr().err == "cekal: Interrupted. What was committed stays.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--port", "70000"], "--port"),
        (["client", "revoke"], "Missing argument 'ID'. See: cekal client revoke --help"),
        (["import", "nothing"], "No such command 'nothing'. See: cekal import --help"),
    ],
)
def test_wrong_arguments_are_refused_with_where_to_look(arguments: list[str], said: str):
    with pytest.raises(Refused) as refusal:
        run(arguments)
    assert said in str(refusal.value)
    assert refusal.value.code == 2
