"""The stored subtrees give the same root as RFC 9162's own recursive definition."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tlog import merkle
from tests.support.trees import grown


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH(D) as RFC 9162 section 2.1.1 writes it: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D) as RFC 9162 section 2.1.3.1 writes it."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def root_of_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162 section 2.1.3.2); None when its length is wrong."""
    fn, sn, here = index, size - 1, leaf
    for step in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            here = hashlib.sha256(b"\x01" + step + here).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            here = hashlib.sha256(b"\x01" + here + step).digest()
        fn, sn = fn >> 1, sn >> 1
    return here if sn == 0 else None


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_peaks_give_the_root_of_the_naive_definition(leaves: list[bytes]):
    stored = grown(leaves)
    assert merkle.root([stored[peak] for peak in merkle.peaks(len(leaves))]) == naive_root(leaves)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_every_stored_node_is_the_root_of_the_leaves_it_covers(leaves: list[bytes]):
    for (level, index), hashed in grown(leaves).items():
        covered = leaves[index << level : (index + 1) << level]
        assert len(covered) == 1 << level
        assert hashed == naive_root(covered)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_any_other_leaf_gives_another_root(leaves: list[bytes], data: st.DataObject):
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = [*leaves]
    other[place] += b"!"
    roots = []
    for each in (leaves, other):
        stored = grown(each)
        roots.append(merkle.root([stored[peak] for peak in merkle.peaks(len(each))]))
    assert roots[0] != roots[1]


@given(st.integers(0, 2**40))
def test_peaks_cover_the_tree_without_gap_or_overlap(size: int):
    end = 0
    for level, index in merkle.peaks(size):
        assert index << level == end
        end += 1 << level
    assert end == size
    assert len(merkle.peaks(size)) == size.bit_count()


@given(st.integers(0, 2**40))
def test_about_one_node_is_stored_with_each_leaf(index: int):
    assert len(merkle.needed(index)) == (index ^ (index + 1)).bit_length() - 1


def test_a_missing_sibling_is_an_error_and_never_another_root():
    with pytest.raises(KeyError):
        merkle.completed(1, merkle.leaf_hash(b"b"), {})


def test_the_empty_tree_has_the_root_of_the_standard():
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_leaf_is_never_mistaken_for_an_inner_node():
    left, right = merkle.leaf_hash(b"l"), merkle.leaf_hash(b"r")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70), st.data())
def test_every_leaf_is_proved_to_every_root_that_the_tree_has_had(leaves: list[bytes], data: st.DataObject):
    stored = grown(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion_path(index, size, stored)
    assert path == naive_path(index, leaves[:size])
    proved = root_of_path(merkle.leaf_hash(leaves[index]), index, size, path)
    assert proved == naive_root(leaves[:size])


@given(st.integers(1, 2**40), st.data())
def test_an_audit_path_reads_at_most_two_nodes_for_each_level(size: int, data: st.DataObject):
    index = data.draw(st.integers(0, size - 1))
    steps = merkle.inclusion_nodes(index, size)
    assert len(steps) <= (size - 1).bit_length()
    read = [node for step in steps for node in step]
    assert len(read) == len(set(read)) <= 2 * size.bit_length()
    assert all((place + 1) << level <= size for level, place in read), "only what is stored is read"


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=40), st.data())
def test_a_path_proves_no_other_leaf(leaves: list[bytes], data: st.DataObject):
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = merkle.inclusion_path(index, len(leaves), grown(leaves))
    forged = merkle.leaf_hash(leaves[index] + b"!")
    assert root_of_path(forged, index, len(leaves), path) != naive_root(leaves)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_what_is_not_in_the_tree_has_no_path(index: int, size: int):
    with pytest.raises(IndexError):
        merkle.inclusion_nodes(index, size)


@given(st.integers(0, 300))
def test_the_root_of_all_leaves_at_once_is_the_same(size: int) -> None:
    leaves = [f"leaf {number}".encode() for number in range(size)]
    assert merkle.root_of_leaves([merkle.leaf_hash(leaf) for leaf in leaves]) == naive_root(leaves)
