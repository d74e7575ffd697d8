"""The vocabulary of the audit trail."""

import re

from app.access.acts import AuditAct


def test_an_act_is_named_by_what_it_is_done_to_and_what_is_done() -> None:
    for act in AuditAct:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", act), act
        assert act.name.lower() == act.value.replace(".", "_")
