"""The tree, against RFC 9162's own recursive definition."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.tlog import merkle


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, as it stands there."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(leaves[:k]) + by_definition(leaves[k:])).digest()


def grown(leaves: list[bytes]) -> dict[merkle.Node, bytes]:
    """Every stored node of a tree that grew leaf by leaf, reading only what `needed` names."""
    stored: dict[merkle.Node, bytes] = {}
    for index, data in enumerate(leaves):
        siblings = {node: stored[node] for node in merkle.needed(index)}
        added = merkle.completed(index, merkle.leaf_hash(data), siblings)
        assert not added.keys() & stored.keys(), "nothing is ever rewritten"
        stored |= added
    return stored


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_root_of_a_grown_tree_is_the_standards(leaves: list[bytes]) -> None:
    stored = grown(leaves)
    assert merkle.root([stored[peak] for peak in merkle.peaks(len(leaves))]) == by_definition(leaves)


@given(st.integers(0, 4000))
def test_peaks_cover_every_leaf_once_left_to_right(size: int) -> None:
    covered = []
    for level, index in merkle.peaks(size):
        covered += range(index << level, (index + 1) << level)
    assert covered == list(range(size))


def test_about_one_more_row_is_stored_for_each_leaf() -> None:
    assert len(grown([b""] * 64)) == 127


def test_a_missing_sibling_is_not_made_up() -> None:
    with pytest.raises(KeyError):
        merkle.completed(1, merkle.leaf_hash(b"x"), {})


def test_the_empty_trees_root_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == merkle.EMPTY_ROOT == by_definition([])


@given(st.lists(st.binary(max_size=8), max_size=40))
def test_a_tree_that_keeps_its_peaks_alone_has_the_same_root(leaves: list[bytes]) -> None:
    tree = merkle.Tree()
    for data in leaves:
        tree.add(merkle.leaf_hash(data))
    assert (tree.size, tree.root()) == (len(leaves), by_definition(leaves))
