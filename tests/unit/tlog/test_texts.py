"""Every text is read as it was written, and garbage raises nothing but the errors that are documented."""

import base64
import string
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.reader import Tile as Bundle

from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, KeyMalformed, SignatureInvalid, SigningKey, VerifierKey
from app.tlog.notes import MOST_SIGNATURES, Note, NoteMalformed, Signature, decode_base64
from app.tlog.policy import Policy, PolicyMalformed
from app.tlog.proofs import InclusionProof
from app.tlog.signed import open_checkpoint
from app.tlog.tiles import Tile, TileUnknown, encode_bundle

printable = st.characters(min_codepoint=0x20, exclude_categories=["Cs"])
lines = st.text(printable, min_size=1)
names = st.text(printable, min_size=1).filter(lambda name: not any(c.isspace() or c == "+" for c in name))
sizes = st.integers(0, 2**63 - 1)
hashes = st.binary(min_size=32, max_size=32)
signatures = st.builds(
    Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=100)
)
some = st.lists(signatures, min_size=1, max_size=4).map(tuple)
checkpoints = st.builds(Checkpoint, lines, sizes, hashes)
vkeys = st.one_of(
    st.builds(VerifierKey, names, st.just(KeyKind.ED25519), hashes),
    st.builds(VerifierKey, names, st.just(KeyKind.TIMED_ED25519), hashes),
    st.builds(VerifierKey, names, st.just(KeyKind.TIMED_ML_DSA_44), st.binary(min_size=1312, max_size=1312)),
)


@given(checkpoints)
def test_a_checkpoint(checkpoint: Checkpoint):
    assert Checkpoint.parse(str(checkpoint)) == checkpoint


@given(signatures)
def test_a_signature(signature: Signature):
    assert Signature.parse(str(signature).removesuffix("\n")) == signature


@given(st.lists(st.text(printable), min_size=1).map(lambda each: "\n".join(each) + "\n"), some)
def test_a_note(text: str, signed: tuple[Signature, ...]):
    note = Note(text, signed)
    assert Note.parse(str(note).encode()) == note


@given(vkeys)
def test_a_key(key: VerifierKey):
    assert VerifierKey.parse(str(key)) == key


@given(sizes, st.lists(hashes, max_size=63).map(tuple), checkpoints, some, st.none() | st.binary())
def test_a_proof_file(
    index: int,
    path: tuple[bytes, ...],
    checkpoint: Checkpoint,
    signed: tuple[Signature, ...],
    extra: bytes | None,
):
    proof = InclusionProof(index, path, Note(str(checkpoint), signed), extra)
    assert InclusionProof.parse(str(proof).encode()) == proof


@given(st.none() | st.integers(0, 63), st.integers(0, 10**18 - 1), st.integers(1, 256))
def test_a_tile(level: int | None, index: int, width: int):
    tile = Tile(level, index, width)
    _, first, rest = str(tile).split("/", 2)
    assert Tile.parse(first, rest) == tile


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle(entries: list[bytes]):
    assert Bundle.from_entries_bytes(encode_bundle(entries)).entries == entries


def test_the_longest_entry_of_a_bundle():
    assert Bundle.from_entries_bytes(encode_bundle([bytes(65_535)])).entries == [bytes(65_535)]
    with pytest.raises(OverflowError):
        encode_bundle([bytes(65_536)])


@given(st.binary())
def test_each_value_has_one_base64(data: bytes):
    text = base64.b64encode(data).decode()
    assert decode_base64(text) == data
    for other in (text + "=", text.rstrip("=") + "\n", " " + text, text + "AA\0", text + "é"):
        if other != text:
            with pytest.raises(NoteMalformed):
                decode_base64(other)


def test_unused_bits_of_base64_are_zero():
    """Four texts would be one hash otherwise, and a note could be changed without breaking its signature."""
    good = base64.b64encode(bytes(32)).decode()
    assert decode_base64(good) == bytes(32)
    for last in "BCD":
        with pytest.raises(NoteMalformed):
            decode_base64(good[:-2] + last + "=")


_FOREIGN = str(SigningKey.generate(KeyKind.TIMED_ED25519).verifier("w"))
near = st.one_of(  # garbage that gets past the first rules
    st.binary(),
    st.text().map(lambda text: text.encode(errors="surrogatepass")),
    st.text("o1+/=A\n — 0", max_size=80).map(str.encode),
    st.text(string.printable).map(lambda text: f"o\n1\n{text}\n\n— {text} {text}\n".encode()),
    st.text(string.printable).map(lambda text: f"c2sp.org/tlog-proof@v1\nindex {text}\n\n{text}".encode()),
    st.text(string.printable).map(lambda text: f"group {text}\nquorum {text}\nlog {text}".encode()),
    st.text(string.printable).map(lambda text: f"witness a {_FOREIGN}\ngroup g {text} a\nquorum g".encode()),
    st.binary().map(lambda data: b"w+00000000+" + base64.b64encode(b"\x04" + data)),
)


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: parse(data.decode(errors="surrogateescape"))


def _tile(data: bytes) -> Tile:
    level, _, path = data.decode(errors="surrogateescape").partition("/")
    return Tile.parse(level, path)


@pytest.mark.parametrize(
    ("parse", "error"),
    [
        (Note.parse, NoteMalformed),
        (InclusionProof.parse, NoteMalformed),
        (_text(Checkpoint.parse), NoteMalformed),
        (_text(Signature.parse), NoteMalformed),
        (_text(decode_base64), NoteMalformed),
        (_text(VerifierKey.parse), KeyMalformed),
        (lambda pem: SigningKey.from_pem(KeyKind.ED25519, pem), KeyMalformed),
        (Policy.parse, PolicyMalformed),
        (_tile, TileUnknown),
    ],
)
@given(data=near)
def test_garbage_raises_the_documented_error_only(
    parse: Callable[[bytes], Any], error: type[Exception], data: bytes
):
    with suppress(error):
        parse(data)


@pytest.mark.parametrize("kind", list(KeyKind))
@given(data=st.binary(min_size=1, max_size=80) | st.binary(min_size=2428, max_size=2428))
def test_a_garbage_signature_is_wrong_whatever_it_signs(kind: KeyKind, data: bytes):
    key = SigningKey.generate(KeyKind.ED25519 if kind is KeyKind.TIMED_ED25519 else kind)
    verifier = VerifierKey("log", kind, key.public)
    signature = Signature("log", verifier.key_id, data)
    for text in (
        "no checkpoint\n",
        str(Checkpoint("log", 0, bytes(32))),
        str(Checkpoint("é" * 200, 1, bytes(32))),
    ):
        with pytest.raises(SignatureInvalid):
            open_checkpoint(Note(str(Checkpoint("log", 0, bytes(32))), (signature,)), [verifier])
        with pytest.raises(SignatureInvalid):
            verifier.verify(text, signature)


@pytest.mark.parametrize(
    "note",
    [
        b"", b"\n", b"\n\n", b"text\n\n", b"text\n\nno dash\n", "text\n\n— a AAAAAAA=".encode(),
        "text\n— a AAAAAAA=\n".encode(), "text\n\n— a AAAAAA==\n".encode(), "text\n\n— a  AAAAAAA=\n".encode(),
        "text\n\n— a+b AAAAAAA=\n".encode(), "text\n\n— a\u00a0b AAAAAAA=\n".encode(),
        "text\n\n— AAAAAAA=\n".encode(), "te\txt\n\n— a AAAAAAA=\n".encode(), "te\rxt\n\n— a AAAAAAA=\n".encode(),
        "text\n\n— a AAAAAAA=\n\n".encode(), b"text\n\n- a AAAAAAA=\n", b"\xff\n\n\xe2\x80\x94 a AAAAAAA=\n",
        "text\n\n— a AAAAAAA=\n— b\n".encode(), "text\n\n— a AAAAAAB=\n".encode(),
        ("text\n\n" + "— a AAAAAAA=\n" * (MOST_SIGNATURES + 1)).encode(), bytes(128 * 1024 + 1),
    ],
)  # fmt: skip
def test_what_is_no_note(note: bytes):
    with pytest.raises(NoteMalformed):
        Note.parse(note)


@pytest.mark.parametrize("count", [1, 16, MOST_SIGNATURES])
def test_a_note_may_have_many_signatures(count: int):
    note = Note("text\n", tuple(Signature("a", bytes(4), bytes(2428)) for _ in range(count)))
    if len(str(note).encode()) <= 128 * 1024:
        assert len(Note.parse(str(note).encode()).signatures) == count


@pytest.mark.parametrize(
    "vkey",
    [
        "", "a", "a+b", "+00000000+AQ==", "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Uw=",
        "example.com/foo+530d903a+", "example.com/foo+530d903a+Ag==", "ex\udcffample+530d903a+AQ==",
    ],
)  # fmt: skip
def test_what_is_no_vkey(vkey: str):
    with pytest.raises(KeyMalformed):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_private_key_is_read_as_it_was_written(kind: KeyKind):
    key = SigningKey.generate(kind)
    assert SigningKey.from_pem(kind, key.to_pem()).public == key.public
    assert "private" not in repr(key).lower().replace("signingkey", "")


def test_a_private_key_of_another_algorithm_is_refused():
    classical, lattice = SigningKey.generate(KeyKind.ED25519), SigningKey.generate(KeyKind.TIMED_ML_DSA_44)
    with pytest.raises(KeyMalformed):
        SigningKey.from_pem(KeyKind.TIMED_ML_DSA_44, classical.to_pem())
    with pytest.raises(KeyMalformed):
        SigningKey.from_pem(KeyKind.TIMED_ED25519, lattice.to_pem())
