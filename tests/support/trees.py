"""Merkle trees as the ledger stores them, for tests of proofs."""

from collections.abc import Sequence

from app.tlog import merkle
from app.tlog.checkpoints import Checkpoint


def grown(leaves: Sequence[bytes]) -> dict[merkle.Node, bytes]:
    """Every node that is stored when the leaves are appended one after the other."""
    stored: dict[merkle.Node, bytes] = {}
    for index, leaf in enumerate(leaves):
        siblings = {node: stored[node] for node in merkle.needed(index)}
        added = merkle.completed(index, merkle.leaf_hash(leaf), siblings)
        assert stored.keys().isdisjoint(added), "a stored node is never written again"
        stored |= added
    return stored


class GrownTree:
    """All trees that a log has had while its leaves were appended."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = list(leaves)
        self.nodes = grown(self.leaves)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first leaves; of all without a size."""
        covers = merkle.peaks(len(self.leaves) if size is None else size)
        return merkle.root([self.nodes[peak] for peak in covers])

    def head(self, origin: str, size: int | None = None) -> Checkpoint:
        """The checkpoint of the first leaves."""
        return Checkpoint(origin, len(self.leaves) if size is None else size, self.root(size))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The audit path of a leaf."""
        return merkle.inclusion_path(index, len(self.leaves) if size is None else size, self.nodes)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """The consistency proof between two of its trees; none from the empty one."""
        new = len(self.leaves) if new is None else new
        return merkle.consistency_path(old, new, self.nodes) if old else []
