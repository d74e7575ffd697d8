"""The examples that the C2SP specifications and Go's standard note package print."""

import base64

import pytest

from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SignatureInvalid, VerifierKey
from app.tlog.notes import Note, NoteMalformed, parse_signatures
from app.tlog.tiles import Tile, TileUnknown

FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
"""C2SP signed-note, "Verifier keys", "Example"."""

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
"""The documentation of Go's golang.org/x/mod/sumdb/note."""

SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501 - as it is printed
"""C2SP tlog-cosignature: a checkpoint with a log's signature and a witness's."""

QUASIMODO = """Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""  # noqa: E501 - as it is printed
"""C2SP signed-note, its first example: a text with an empty line."""

COSIGNATURES = """\
— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
"""  # noqa: E501 - as it is printed
"""C2SP tlog-witness: the answer of `add-checkpoint`."""


@pytest.mark.parametrize(("vkey", "note"), [(FOO, FOO_NOTE), (NEUMANN, NEUMANN_NOTE)])
def test_the_published_keys_verify_the_published_notes(vkey: str, note: str):
    key, parsed = VerifierKey.parse(vkey), Note.parse(note.encode())
    assert key.kind is KeyKind.ED25519
    (signature,) = parsed.signatures
    assert (signature.name, signature.key_id) == (key.name, key.key_id)
    assert key.verify(parsed.text, signature) is None
    with pytest.raises(SignatureInvalid):
        key.verify(parsed.text.replace("a", "e", 1), signature)


@pytest.mark.parametrize("vkey", [FOO, NEUMANN])
def test_a_vkey_is_written_as_it_was_read(vkey: str):
    assert str(VerifierKey.parse(vkey)) == vkey


@pytest.mark.parametrize("note", [FOO_NOTE, NEUMANN_NOTE, SOFA, QUASIMODO])
def test_a_note_is_written_as_it_was_read(note: str):
    assert str(Note.parse(note.encode())) == note


def test_the_last_empty_line_parts_text_from_signatures():
    assert Note.parse(QUASIMODO.encode()).text.endswith("\n\ned è subito sera.\n")


def test_the_checkpoint_of_the_examples():
    note = Note.parse(SOFA.encode())
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    checkpoint = Checkpoint.parse(note.text)
    assert checkpoint == Checkpoint("example.com/behind-the-sofa", 20852163, root)
    assert str(checkpoint) == note.text
    witness = note.signatures[1]
    assert len(witness.data) == 8 + 64
    assert int.from_bytes(witness.data[:8], "big") == 1_679_315_147


def test_the_answer_of_a_witness():
    names = [each.name for each in parse_signatures(COSIGNATURES)]
    assert names == ["witness.example/w1", "witness.example/w1", "witness.example/w2"]


def test_the_largest_index_of_the_specification_of_tiles():
    assert str(Tile(0, 1_234_067, 256)) == "tile/0/x001/x234/067"
    assert Tile.parse("0", "x001/x234/067") == Tile(0, 1_234_067, 256)


def test_the_tiles_of_a_tree_of_seventy_thousand():
    wanted = {0: (273, 112), 1: (1, 17), 2: (0, 1)}
    for level, (full, width) in wanted.items():
        assert Tile(level, full, width).is_in(70_000)
        assert not Tile(level, full, width + 1).is_in(70_000)
        assert full == 0 or Tile(level, full - 1, 256).is_in(70_000)
    assert not Tile(3, 0, 1).is_in(70_000)


def test_a_tree_of_256_leaves_has_a_full_tile_and_one_of_width_one_above():
    assert Tile(0, 0, 256).is_in(256)
    assert Tile(1, 0, 1).is_in(256)
    assert not Tile(0, 1, 1).is_in(256)


@pytest.mark.parametrize(
    ("level", "path"),
    [
        ("0", "1"), ("0", "0001"), ("0", "x000/001"), ("0", "001/x000"), ("0", "000.p/0"), ("0", "000.p/256"),
        ("0", "000.p/01"), ("0", "000.p/"), ("0", "000.p/1.p/1"), ("00", "000"), ("64", "000"), ("-1", "000"),
        ("entries ", "000"), ("0", "000\n"), ("0", "\u0660" * 3), ("0", "x001/x001/x001/x001/x001/x001/000"), ("", ""),
    ],
)  # fmt: skip
def test_each_tile_has_one_path(level: str, path: str):
    with pytest.raises(TileUnknown):
        Tile.parse(level, path)


@pytest.mark.parametrize(
    "text",
    [
        "", "o", "o\n1", "o\n1\n", "o\n1\n{root}", "\n1\n{root}\n", "o\n01\n{root}\n", "o\n+1\n{root}\n",
        "o\n1 \n{root}\n", "o\n-1\n{root}\n", "o\n\u0663\n{root}\n", "o\n9223372036854775808\n{root}\n",
        "o\n1\n{root}=\n", "o\n1\n{short}\n", "o\n1\n{root}\n\n", "o\n1\n{root}\n\next\n", "o\n1\n{root}\next",
        "o\n" + "9" * 5000 + "\n{root}\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint(text: str):
    root, short = base64.b64encode(bytes(32)).decode(), base64.b64encode(bytes(31)).decode()
    with pytest.raises(NoteMalformed):
        Checkpoint.parse(text.format(root=root, short=short))


def test_extension_lines_are_ignored():
    root = base64.b64encode(bytes(32)).decode()
    assert Checkpoint.parse(f"o\n9223372036854775807\n{root}\nmore\nand more\n").size == 2**63 - 1
