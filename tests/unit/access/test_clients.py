"""What a client may be (API section 2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.domain import (
    CONFIRMED_ROLES,
    MACHINE_ROLES,
    PERSON_ROLES,
    Kind,
    Role,
    client_faults,
    needs_second,
)

SOUND: dict[Role, dict[str, Any]] = {
    Role.SUBMITTER: {"agency": "KPK", "person": "198501"},
    Role.VERIFIER: {"agency": "KPK", "person": "198501"},
    Role.APPROVER: {"agency": "IMIGRASI", "person": "198501"},
    Role.DUTY_OFFICER: {"agency": "IMIGRASI", "person": "198501"},
    Role.SUPERVISOR: {"checkpoint": "CGK", "person": "198501"},
    Role.TIMPORA: {"agency": "POLRI", "office": "POLDA-KEPRI", "person": "198501"},
    Role.AUDITOR: {"person": "198501"},
    Role.ADMIN: {"person": "198501"},
    Role.CHECKPOINT: {"checkpoint": "CGK", "kind": Kind.COUNTER},
    Role.INTEGRATOR: {"agency": "KPK"},
    Role.CARRIER: {},
}


def faults(*roles: Role, **given: Any) -> dict[str, str]:
    """What is wrong with a client to be, by pointer."""
    nothing = dict.fromkeys(("kind", "agency", "office", "checkpoint", "person"))
    members: dict[str, Any] = {**nothing, "networks": (), **given}
    return {fault.pointer: fault.code for fault in client_faults(frozenset(roles), **members)}


@pytest.mark.parametrize("role", Role)
def test_each_role_alone_with_what_it_needs_is_in_order(role: Role):
    assert faults(role, **SOUND[role]) == {}


@pytest.mark.parametrize("role", Role)
def test_nothing_that_a_role_needs_may_be_missing(role: Role):
    for member in SOUND[role]:
        assert faults(role, **{**SOUND[role], member: None}) == {f"/{member}": "required"}


def test_roles_are_persons_or_machines_and_never_both():
    assert set(Role) == PERSON_ROLES | MACHINE_ROLES
    for person in PERSON_ROLES:
        for machine in MACHINE_ROLES:
            everything = {**SOUND[person], **SOUND[machine]}
            assert faults(person, machine, **everything)["/roles"] in {"mixed", "admin_alone"}


@pytest.mark.parametrize("other", sorted(MACHINE_ROLES - {Role.CARRIER}))
def test_a_carrier_is_nothing_else(other: Role):
    assert faults(Role.CARRIER, other, **SOUND[other]) == {"/roles": "carrier_alone"}


@pytest.mark.parametrize("role", sorted(PERSON_ROLES))
def test_a_persons_role_needs_the_persons_number(role: Role):
    assert faults(role, **{**SOUND[role], "person": ""}) == {"/person": "required"}


@pytest.mark.parametrize("role", sorted(MACHINE_ROLES))
def test_a_machine_has_no_employee_number(role: Role):
    assert faults(role, **SOUND[role], person="198501") == {"/person": "forbidden"}


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMIN}))
def test_admin_combines_with_no_other_role(role: Role):
    assert faults(Role.ADMIN, role, **{**SOUND[role], "person": "198501"})["/roles"] in {
        "admin_alone",
        "mixed",
    }


@pytest.mark.parametrize("role", [Role.APPROVER, Role.DUTY_OFFICER])
def test_approvers_and_duty_officers_belong_to_immigration(role: Role):
    assert faults(role, person="198501", agency="KPK") == {"/agency": "immigration_only"}


def test_only_those_at_a_checkpoint_belong_to_one():
    for role in set(Role) - {Role.CHECKPOINT, Role.SUPERVISOR}:
        assert faults(role, **SOUND[role], checkpoint="CGK") == {"/checkpoint": "forbidden"}


def test_only_a_checkpoints_client_has_a_kind():
    for role in set(Role) - {Role.CHECKPOINT}:
        assert faults(role, **SOUND[role], kind=Kind.AUTOGATE) == {"/kind": "forbidden"}


def test_a_client_without_a_role_is_nothing():
    assert faults() == {"/roles": "required"}


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0.0/33", "cgk", "", "10.0.0.0/8 ", "::/129"])
def test_what_is_no_network_is_refused_at_its_place(network: str):
    assert faults(Role.CARRIER, networks=("10.0.0.0/8", network)) == {"/networks/1": "cidr"}


def test_networks_of_both_families_and_single_hosts_are_networks():
    assert faults(Role.CARRIER, networks=("10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1")) == {}


@given(st.frozensets(st.sampled_from(sorted(PERSON_ROLES - {Role.ADMIN})), min_size=1))
def test_one_person_may_hold_several_roles_in_one_place(roles: frozenset[Role]):
    needs: dict[str, Any] = {}
    for role in sorted(roles, key=lambda role: role in {Role.APPROVER, Role.DUTY_OFFICER}):
        needs |= SOUND[role]
    assert faults(*roles, **needs) == {}


def test_a_second_admin_confirms_the_roles_of_the_contract():
    named = {"submitter", "verifier", "approver", "duty_officer", "auditor", "admin"}
    assert named == CONFIRMED_ROLES
    for role in Role:
        assert needs_second(frozenset({role}), "KPK") is (role in named)


@pytest.mark.parametrize(("agency", "waits"), [("IMIGRASI", True), ("KPK", False)])
def test_an_integrator_that_reads_everybodys_entries_waits_as_well(agency: str, *, waits: bool):
    assert needs_second(frozenset({Role.INTEGRATOR}), agency) is waits
