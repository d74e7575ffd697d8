"""Policies as the specification writes them, and quorums."""

from itertools import combinations

import pytest

from app.tlog.keys import KeyKind, SigningKey, VerifierKey
from app.tlog.policy import Policy, PolicyMalformed

LOG = SigningKey.generate(KeyKind.ED25519).verifier("log.example/1")
WITNESSES = {
    name: SigningKey.generate(KeyKind.TIMED_ED25519).verifier(f"witness.example/{name}")
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}

EXAMPLE = """log {LOG}

witness X1 {X1}
witness X2 {X2}
witness X3 {X3}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1}
witness Y2 {Y2}
witness Y3 {Y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
"""The example of C2SP tlog-policy."""


def policy(text: str) -> Policy:
    return Policy.parse(text.format(LOG=LOG, **WITNESSES).encode())


def test_the_quorum_of_the_example_holds_for_exactly_the_right_witnesses():
    read = policy(EXAMPLE)
    assert [log.key for log in read.logs] == [LOG]
    for count in range(len(WITNESSES) + 1):
        for chosen in combinations(WITNESSES, count):
            xs = sum(name.startswith("X") for name in chosen)
            wanted = xs >= 2 and count > xs
            assert read.is_witnessed(WITNESSES[name] for name in chosen) == wanted


def test_the_fewest_of_those_who_cosigned_are_a_quorum_in_the_policys_order():
    read = policy(EXAMPLE)
    names = {key: name for name, key in WITNESSES.items()}
    for count in range(len(WITNESSES) + 1):
        for some in combinations(reversed(WITNESSES), count):
            fewest = read.fewest(WITNESSES[name] for name in some)
            assert (fewest is not None) == read.is_witnessed(WITNESSES[name] for name in some)
            if fewest is not None:
                xs, ys = (sorted(name for name in some if name[0] == kind) for kind in "XY")
                assert [names[key] for key in fewest] == [*xs[:2], ys[0]]
    nested = "witness a {X1}\nwitness b {X2}\nwitness c {X3}\ngroup two all a b\ngroup g any two c\nquorum g"
    assert policy(nested).fewest(WITNESSES.values()) == (WITNESSES["X3"],), "one is fewer than two"
    assert policy("quorum none").fewest([]) == ()
    assert Policy.without_witnesses().fewest([LOG]) == ()


def test_a_policy_is_written_as_it_was_read():
    read = policy(EXAMPLE.replace("{X1}", "{X1} https://x1.example"))
    assert Policy.parse(str(read).encode()) == read
    assert "https://x1.example" in str(read)
    other = SigningKey.generate(KeyKind.TIMED_ED25519).verifier("log.example/2")
    published = read.published([other])
    assert [log.key for log in published.logs] == [other]
    assert "http" not in str(published)
    chosen = [WITNESSES[name] for name in ("X1", "X3", "Y2")]
    assert Policy.parse(str(published).encode()).is_witnessed(chosen)
    assert not published.is_witnessed(chosen[1:])
    odd = b"witness \xe2\x84 %b\nquorum \xe2\x84\n" % str(WITNESSES["X1"]).encode()
    assert str(Policy.parse(odd)).encode(errors="surrogateescape") == odd


def test_a_stranger_or_a_log_is_no_witness():
    stranger = SigningKey.generate(KeyKind.TIMED_ED25519).verifier("witness.example/X1")
    renamed = VerifierKey("other", KeyKind.TIMED_ED25519, WITNESSES["X1"].public)
    read = policy("witness X1 {X1}\nquorum X1")
    assert read.is_witnessed([WITNESSES["X1"]])
    assert not read.is_witnessed([LOG, stranger, renamed])


@pytest.mark.parametrize("rule", ["any", "all", "1", "2", "3"])
def test_group_rules(rule: str):
    read = policy(f"witness a {{X1}}\nwitness b {{X2}}\nwitness c {{X3}}\ngroup g {rule} a b c\nquorum g")
    least = {"any": 1, "all": 3}.get(rule) or int(rule)
    for count in range(4):
        chosen = [WITNESSES[name] for name in ("X3", "X1", "X2")[:count]]
        assert read.is_witnessed(chosen) == (count >= least)


def test_no_witness_may_be_needed():
    assert policy("quorum none").is_witnessed([])
    assert policy("\t log  {LOG} \t https://log.example/ \n  # words\n\n quorum\tnone").logs[0].url


def test_addresses_are_kept():
    read = policy("witness a {X1} https://witness.example/\nlog {LOG} https://log.example\nquorum a")
    assert (read.witnesses["a"].url, read.logs[0].url) == ("https://witness.example/", "https://log.example")


def test_many_logs_witnesses_and_groups():
    keys = [SigningKey.generate(KeyKind.TIMED_ED25519) for _ in range(64)]
    logs = [f"log {key.verifier(f'log.example/{number}')}" for number, key in enumerate(keys[:32])]
    witnesses = [f"witness w{n} {key.verifier('w')}\ngroup g{n} any w{n}" for n, key in enumerate(keys[32:])]
    groups = [*witnesses, "group all 20 " + " ".join(f"g{n}" for n in range(32)), "quorum all"]
    read = Policy.parse("\n".join(logs + groups).encode())
    assert len(read.logs) == len(read.witnesses) == 32
    for count in (19, 20, 32):
        assert read.is_witnessed(key.verifier("w") for key in keys[32 : 32 + count]) == (count >= 20)


def test_several_keys_of_one_origin():
    keys = [SigningKey.generate(kind).verifier("log.example/1") for kind in KeyKind]
    assert len(policy("\n".join(f"log {key}" for key in keys) + "\nquorum none").logs) == 3


def test_names_are_bytes():
    text = f"witness \xe9 {WITNESSES['X1']}\nwitness \u212a {WITNESSES['X2']}\nquorum \xe9"
    assert Policy.parse(text.encode()).is_witnessed([WITNESSES["X1"]])
    assert Policy.parse(text.replace("\u212a", "K").encode("latin-1")).is_witnessed([WITNESSES["X1"]])


@pytest.mark.parametrize(
    "text",
    [
        "", "log {LOG}", "quorum", "quorum a", "quorum none\nquorum none", "quorum none none", "quorum none extra",
        "log\nquorum none", "log {LOG} a b\nquorum none", "log {LOG}\nlog {LOG} url\nquorum none", "log x\nquorum none",
        "witness a\nquorum none", "witness a {X1}\nwitness b {X1}\nquorum none", "witness a {X1} u u\nquorum a",
        "witness none {X1}\nquorum none", "witness a {X1}\nwitness a {X2}\nquorum a", "witness a {LOG}\nquorum a",
        "witness a {X1}\ngroup a any a\nquorum a", "group g any\nquorum none", "group g all\nquorum none",
        "group g 1\nquorum none", "group\nquorum none", "group g\nquorum none", "group g any none\nquorum none",
        "witness a {X1}\ngroup g 0 a\nquorum g", "witness a {X1}\ngroup g 2 a\nquorum g",
        "witness a {X1}\ngroup g -1 a\nquorum g", "witness a {X1}\ngroup g some a\nquorum g",
        "witness a {X1}\ngroup g any a a\nquorum g", "witness a {X1}\ngroup g any g\nquorum g",
        "witness a {X1}\ngroup g any a\ngroup h any a\nquorum h", "group g any a\nwitness a {X1}\nquorum g",
        "quorum a\nwitness a {X1}", "witness a {X1}\ngroup g \u0662 a\nquorum g", "Quorum none", "quorum none\r\n",
        "quorum none\x00", "quorum none\x7f", "quorum\u00a0none", "quorum none\nquorums none",
    ],
)  # fmt: skip
def test_what_is_no_policy(text: str):
    with pytest.raises(PolicyMalformed):
        policy(text)


def test_the_message_names_the_line():
    with pytest.raises(PolicyMalformed, match="line 3"):
        policy("\n# words\nnonsense\nquorum none")
