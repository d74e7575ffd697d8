"""RFC 9162 section 2.1 Merkle tree hashing, kept as the hashes of full subtrees.

A record at index `i` (from 0) completes, besides its leaf, every full subtree that ends at `i`; storing those
few hashes at append makes every later root and proof a matter of O(log n) reads, and none is ever rewritten.
A node is named `(level, index)`: it covers the leaves `index * 2**level` to `(index + 1) * 2**level - 1`.
"""

import hashlib
from collections.abc import Mapping

EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256 of 0x00 and the data (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256 of 0x01, left and right (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def needed(index: int) -> list[Node]:
    """The stored nodes that appending leaf `index` must read: the left siblings of what it completes."""
    nodes = []
    level = 0
    while index & 1:
        nodes.append((level, index - 1))
        index >>= 1
        level += 1
    return nodes


def completed(index: int, leaf: bytes, siblings: Mapping[Node, bytes]) -> dict[Node, bytes]:
    """The nodes that leaf `index` completes, itself included.

    Args:
        index: the leaf's index, from 0.
        leaf: its `leaf_hash`.
        siblings: hashes of the nodes named by `needed(index)`.

    Raises:
        KeyError: a sibling is missing.
    """
    nodes = {(0, index): leaf}
    level, here = 0, leaf
    while index & 1:
        here = node_hash(siblings[level, index - 1], here)
        index >>= 1
        level += 1
        nodes[level, index] = here
    return nodes


def peaks(size: int) -> list[Node]:
    """The full subtrees, left to right, that together cover a tree of `size` leaves."""
    nodes = []
    offset = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            nodes.append((level, offset >> level))
            offset += 1 << level
    return nodes


def root(hashes: list[bytes]) -> bytes:
    """The tree's root from its peaks' hashes, left to right (RFC 9162 section 2.1.1)."""
    if not hashes:
        return EMPTY_ROOT
    here = hashes[-1]
    for left in reversed(hashes[:-1]):
        here = node_hash(left, here)
    return here


def inclusion_nodes(index: int, size: int) -> list[list[Node]]:
    """The stored nodes from which each step of an audit path is made, from the leaf upwards.

    A step is the root of one neighbouring subtree: mostly a stored node; where the tree's right edge is not
    full, the `root` of the full subtrees that it consists of.

    Args:
        index: the leaf's index, from 0.
        size: leaves of the tree.

    Raises:
        IndexError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError("the tree has no such leaf")
    covers = peaks(size)
    at = next(i for i, (level, place) in enumerate(covers) if index >> level == place)
    steps = [[(level, (index >> level) ^ 1)] for level in range(covers[at][0])]
    if covers[at + 1 :]:
        steps.append(covers[at + 1 :])
    return steps + [[left] for left in reversed(covers[:at])]


def inclusion_path(index: int, size: int, hashes: Mapping[Node, bytes]) -> list[bytes]:
    """The audit path from a leaf to the root of a tree of `size` leaves (RFC 9162 section 2.1.3.1).

    Args:
        index: the leaf's index, from 0.
        size: leaves of the tree.
        hashes: those of the nodes that `inclusion_nodes` names; at most two for each level of the tree.

    Raises:
        IndexError: the tree has no such leaf.
        KeyError: a node is missing.
    """
    return [root([hashes[node] for node in step]) for step in inclusion_nodes(index, size)]
