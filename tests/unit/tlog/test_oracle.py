"""Trees, proofs, tiles and notes agree with an independent implementation, tlog-scales."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tlog_scales import reader, signing, tiles, tlog, writer
from tlog_scales.backend import LocalBackend

from app.tlog import merkle
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SigningKey, VerifierKey
from app.tlog.notes import Note
from app.tlog.signed import open_checkpoint, sign_checkpoint
from app.tlog.tiles import Tile, encode_bundle
from tests.support.trees import GrownTree

ORIGIN = "log.example/1"
TIME = 1_790_000_000
KINDS = list(KeyKind)


class Folder(LocalBackend):
    """A tiled log in memory, made of our nodes."""

    def __init__(self, tree: GrownTree) -> None:
        self.tree = tree

    def get(self, *path: str) -> bytes | None:
        _, level, *rest = path
        tile = Tile.parse(level, "/".join(rest))
        assert str(tile) == "/".join(path)
        if not tile.is_in(len(self.tree.leaves)):
            return None
        if tile.level is None:
            return encode_bundle(self.tree.leaves[tile.start : tile.start + tile.width])
        return b"".join(self.tree.nodes[node] for node in tile.nodes)


@pytest.fixture(scope="module")
def tree() -> GrownTree:
    return GrownTree([b"leaf %d" % number for number in range(1300)])


@settings(deadline=None)
@given(data=st.data())
def test_the_other_implementation_reads_our_tiles_and_finds_our_proofs(tree: GrownTree, data: st.DataObject):
    foreign = reader.TilesReader(Folder(tree))
    foreign.set_size(len(tree.leaves))
    new = data.draw(st.integers(1, len(tree.leaves)))
    old = data.draw(st.integers(1, new))
    index = data.draw(st.integers(0, new - 1))
    assert foreign.mth(0, new) == tree.root(new)
    assert foreign.get_entry(index) == tree.leaves[index]

    inclusion = foreign.get_inclusion_proof(index, new)
    assert inclusion.node_hashes == tree.inclusion(index, new)
    inclusion.check(tiles.leaf_hash(tree.leaves[index]), tree.root(new))
    merkle.verify_inclusion(
        index, new, merkle.leaf_hash(tree.leaves[index]), inclusion.node_hashes, tree.root(new)
    )

    consistency = foreign.get_consistency_proof(old, new)
    assert consistency.node_hashes == tree.consistency(old, new)
    consistency.check(tree.root(old), tree.root(new))
    merkle.verify_consistency(old, new, tree.root(old), tree.root(new), consistency.node_hashes)


@settings(deadline=None)
@given(data=st.data())
def test_both_refuse_the_same_damaged_proofs(tree: GrownTree, data: st.DataObject):
    new = data.draw(st.integers(2, len(tree.leaves)))
    old = data.draw(st.integers(1, new - 1))
    path = tree.consistency(old, new)
    at = data.draw(st.integers(0, len(path) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "grow", "swap", "sizes"])):
        case "flip":
            path[at] = bytes([path[at][0] ^ 1]) + path[at][1:]
        case "cut":
            del path[at]
        case "grow":
            path.insert(at, bytes(32))
        case "swap":
            path.reverse()
        case _:
            old, new = data.draw(st.integers(0, new)), data.draw(st.integers(0, len(tree.leaves)))
    roots = tree.root(old), tree.root(new)
    foreign = ours = True
    try:
        tlog.ConsistencyProof(old, new, path).check(*roots)
    except tlog.ConsistencyProofInvalid:
        foreign = False
    try:
        merkle.verify_consistency(old, new, *roots, path)
    except merkle.ProofInvalid:
        ours = False
    assert ours == foreign


def test_its_files_are_ours(tree: GrownTree, tmp_path: Path):
    made = writer.TilesWriter.create(tmp_path / "log", ORIGIN)
    signer = signing.PlainEd25519Signer(ORIGIN, bytes(32))
    size = 0
    for step in (1, 1, 253, 1, 1, 300, 743):
        for leaf in tree.leaves[size : size + step]:
            made.add_leaf(leaf)
        size += step
        made.commit([signer], gc=False)
        note = Note.parse((tmp_path / "log" / "checkpoint").read_bytes())
        opened = open_checkpoint(note, [VerifierKey.parse(signer.vkey.serialize())])
        assert opened.checkpoint == tree.head(ORIGIN, size)
    found = 0
    for path in sorted((tmp_path / "log" / "tile").rglob("*")):
        if path.is_file():
            level, _, rest = str(path.relative_to(tmp_path / "log" / "tile")).partition("/")
            tile = Tile.parse(level, rest)
            assert tile.is_in(size)
            if tile.level is None:
                entries = tree.leaves[tile.start : tile.start + tile.width]
                assert path.read_bytes() == encode_bundle(entries)
            else:
                assert path.read_bytes() == b"".join(tree.nodes[node] for node in tile.nodes)
            found += 1
    assert found > 20


heads = st.builds(Checkpoint, st.just(ORIGIN), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=heads)
def test_the_other_implementation_verifies_our_signatures(kind: KeyKind, head: Checkpoint):
    key = SigningKey.generate(kind)
    note = sign_checkpoint(head, [key], TIME)
    vkey = signing.Vkey.from_string(str(key.verifier(ORIGIN)))
    foreign = tlog.Checkpoint.from_text(str(note))
    foreign.verify(vkey)
    assert (foreign.origin, foreign.size, foreign.root_hash) == (head.origin, head.size, head.root)
    assert vkey.serialize() == str(key.verifier(ORIGIN))


@pytest.mark.parametrize("make", [signing.PlainEd25519Signer, signing.MLDSA44CosignatureSigner])
@settings(deadline=None, max_examples=20)
@given(head=heads)
def test_we_verify_its_signatures(make: type, head: Checkpoint):
    signer = make(ORIGIN, bytes(range(32)))
    foreign = tlog.Checkpoint.make_signed(head.origin, head.size, head.root, [signer])
    key = VerifierKey.parse(signer.vkey.serialize())
    opened = open_checkpoint(Note.parse(foreign.serialize().encode()), [key])
    assert opened.checkpoint == head
    (time,) = opened.signed.values()
    assert (time is None) == (key.kind is KeyKind.ED25519)
