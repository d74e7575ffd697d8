"""The ledger's tree as the register keeps it."""

from app.db.unit import Reader
from app.ledger.service import head, root_of


async def root(reader: Reader) -> tuple[int, bytes]:
    """Returns the ledger's size and its Merkle root, from stored hashes."""
    size = (await head(reader)).size
    return size, await root_of(reader, size)
