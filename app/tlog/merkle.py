"""Merkle trees of RFC 9162 section 2.1, stored as the hashes of full subtrees.

Appending a record at index `i` (from 0) completes its leaf and every full subtree that ends at `i`. These few
hashes are stored at append and never rewritten; every later root or proof then needs O(log n) reads.
A node is identified by `(level, index)`: it covers the leaves `index * 2**level` to `(index + 1) * 2**level - 1`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Self

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of the tree without leaves."""

Node = tuple[int, int]
"""The level and the index of a full subtree's top (see the module's docstring)."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 of 0x00 and the data (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of 0x01, left and right (RFC 9162 section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def needed(index: int) -> list[Node]:
    """Return the nodes whose stored hashes are needed to append leaf `index` (from 0), from the lowest upwards.

    The appended leaf completes some full subtrees; these nodes are the left halves of those subtrees.
    """
    nodes = []
    level = 0
    while index & 1:
        nodes.append((level, index - 1))
        index >>= 1
        level += 1
    return nodes


def completed(index: int, leaf: bytes, siblings: Mapping[Node, bytes]) -> dict[Node, bytes]:
    """Return, by node, the hash of the new leaf and of each full subtree that the new leaf completes.

    Args:
        index: the leaf's index, from 0.
        leaf: its `leaf_hash`.
        siblings: the hash of each node of `needed(index)`, by node; further ones are ignored.

    Raises:
        KeyError: the hash of such a node is missing.
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
    """Return the peaks of a tree of `size` leaves, left to right.

    They are the top nodes of the largest full subtrees that together cover the tree.
    """
    nodes = []
    offset = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            nodes.append((level, offset >> level))
            offset += 1 << level
    return nodes


def root(hashes: list[bytes]) -> bytes:
    """Return a tree's root from the hashes of its `peaks`, left to right; without any, `EMPTY_ROOT`."""
    if not hashes:
        return EMPTY_ROOT
    here = hashes[-1]
    for left in reversed(hashes[:-1]):
        here = node_hash(left, here)
    return here


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree from the `leaf_hash` of all its leaves, in order (RFC 9162 section 2.1.1).

    Without leaves, the result is `EMPTY_ROOT`.
    """
    level = list(leaves) or [EMPTY_ROOT]
    sha256 = hashlib.sha256
    while len(level) > 1:
        rest = level[len(level) & ~1 :]
        level = [
            sha256(b"\x01%b%b" % pair).digest() for pair in zip(level[::2], level[1::2], strict=False)
        ] + rest
    return level[0]


class Tree:
    """Computes the root of a Merkle tree that grows leaf by leaf; it keeps only the hashes of the tree's `peaks`.

    Attributes:
        size: number of leaves.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    @classmethod
    def resume(cls, size: int, hashes: Sequence[bytes]) -> Self:
        """Return a tree of `size` leaves from the hashes of `peaks(size)`, left to right; nothing is checked."""
        tree = cls()
        tree.size, tree._peaks = size, list(hashes)
        return tree

    def copy(self) -> Self:
        """Return a copy of the tree; leaves that are added to one are not added to the other."""
        return self.resume(self.size, self._peaks)

    def add(self, leaf: bytes) -> None:
        """Append a leaf, given as its `leaf_hash`."""
        index, here = self.size, leaf
        while index & 1:
            here = hashlib.sha256(b"\x01" + self._peaks.pop() + here).digest()  # `node_hash`, without a call
            index >>= 1
        self._peaks.append(here)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the leaves added so far (RFC 9162 section 2.1.1)."""
        return root(self._peaks)


def inclusion_nodes(index: int, size: int) -> list[list[Node]]:
    """Return which stored nodes are needed for an audit path: a list of nodes for each hash of the path.

    The lists are in the path's order, from the leaf upwards. Usually a list has one node, whose hash is in the path. At
    the tree's incomplete right edge it has several nodes, and the `root` of their hashes is in the path.

    Args:
        index: the leaf's index, from 0.
        size: number of leaves of the tree.

    Raises:
        IndexError: the tree has no leaf with this index.
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
    """Return the audit path from a leaf to the root of a tree of `size` leaves (RFC 9162 section 2.1.3.1).

    Args:
        index: the leaf's index, from 0.
        size: number of leaves of the tree.
        hashes: the hash of each node in `inclusion_nodes(index, size)`, by node; further ones are ignored.

    Returns:
        The hashes, from the leaf upwards.

    Raises:
        IndexError: the tree has no leaf with this index.
        KeyError: the hash of a node is missing.
    """
    return [root([hashes[node] for node in step]) for step in inclusion_nodes(index, size)]


def consistency_nodes(old: int, new: int) -> list[list[Node]]:
    """Return which stored nodes are needed for a consistency proof: a list of nodes for each hash of the proof.

    The lists are in the proof's order. Each hash of the proof is the `root` of the hashes of the nodes in its list. The
    result is empty if both sizes are equal.

    Args:
        old: number of leaves of the smaller tree, at least 1.
        new: number of leaves of the larger tree.

    Raises:
        IndexError: the smaller tree is empty, or larger than the other.
    """
    if not 1 <= old <= new:
        raise IndexError("a consistency proof leads from a tree with leaves to one that is not smaller")
    if old == new:
        return []
    last_level, last_index = peaks(old)[-1]
    # the path from the last full subtree of the old tree to the new root (RFC 9162 section 2.1.4.1)
    end = (last_index + 1) << last_level
    steps = inclusion_nodes(end - 1, new)[last_level:]
    own = [] if old == 1 << (old.bit_length() - 1) else [[(last_level, last_index)]]
    return own + steps


def consistency_path(old: int, new: int, hashes: Mapping[Node, bytes]) -> list[bytes]:
    """Return the hashes of the proof that a tree of `new` leaves begins with the tree of `old` leaves.

    It is the consistency proof of RFC 9162 section 2.1.4.1. It is empty if both sizes are equal.

    Args:
        old: number of leaves of the smaller tree, at least 1.
        new: number of leaves of the larger tree.
        hashes: the hash of each node in `consistency_nodes(old, new)`, by node; further ones are ignored.

    Raises:
        IndexError: the smaller tree is empty, or larger than the other.
        KeyError: the hash of a node is missing.
    """
    return [root([hashes[node] for node in step]) for step in consistency_nodes(old, new)]


class ProofInvalid(ValueError):
    """A proof does not prove what it should; the message gives the reason."""


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], top: bytes) -> None:
    """Raise ProofInvalid unless an audit path leads from a leaf to a tree's root (RFC 9162 section 2.1.3.2).

    Args:
        index: the leaf's index, from 0.
        size: number of leaves of the tree.
        leaf: the leaf's `leaf_hash`.
        path: the audit path, from the leaf upwards.
        top: the tree's root.

    Raises:
        ProofInvalid: the tree has no leaf with this index, or the path does not lead from it to the root.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"a tree of {size} leaves has no leaf {index}")
    here, last, node = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ProofInvalid("the audit path is too long")
        if here & 1 or here == last:
            node = node_hash(step, node)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            node = node_hash(node, step)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofInvalid("the audit path is too short")
    if node != top:
        raise ProofInvalid("the audit path leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raise ProofInvalid unless a proof shows that the larger tree begins with the smaller (RFC 9162 section 2.1.4.2).

    If the smaller tree is empty or both have the same size, nothing needs proof, and `path` must be empty.

    Args:
        old: number of leaves of the smaller tree.
        new: number of leaves of the larger tree.
        old_root: the smaller tree's root.
        new_root: the larger tree's root.
        path: the hashes of the proof.

    Raises:
        ProofInvalid: the proof does not lead to both roots, or is not empty where it must be; `old` is larger than
            `new`; an empty tree's root is not `EMPTY_ROOT`; or trees of the same size have different roots.
    """
    if not 0 <= old <= new:
        raise ProofInvalid(f"a tree of {new} leaves can't continue one of {old}")
    if new == 0 and new_root != EMPTY_ROOT:
        raise ProofInvalid("the empty tree has one root, and this is another")
    if old in {0, new}:
        if path:
            raise ProofInvalid("no proof is needed here, and one was given")
        first, second = new_root if old == new else EMPTY_ROOT, new_root
    else:
        first, second = roots_of(old, new, [old_root, *path] if old & (old - 1) == 0 else path)
    if first != old_root:
        raise ProofInvalid("the smaller tree has another root than the larger one continues")
    if second != new_root:
        raise ProofInvalid("the consistency proof does not lead to the larger tree's root")


def roots_of(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Return the two roots to which a consistency proof leads: of the first `old` leaves, and of all `new` leaves.

    The caller must compare them with the roots of the two trees.

    Args:
        old: number of leaves of the smaller tree, at least 1.
        new: number of leaves of the larger tree, more than `old`.
        path: the hashes of the proof. The first must be the hash of a subtree that both trees have. RFC 9162 omits it
            if `old` is a power of two, because it is then the smaller tree's root: the caller must put that root in
            front.

    Raises:
        ProofInvalid: the proof has too few or too many hashes.
    """
    if not path:
        raise ProofInvalid("the consistency proof is empty")
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            raise ProofInvalid("the consistency proof is too long")
        if here & 1 or here == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, step)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofInvalid("the consistency proof is too short")
    return first, second
