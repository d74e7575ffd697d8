"""The ledger's tree as the register keeps it."""

from sqlalchemy import BigInteger, cast, delete, func, update

from app.db.unit import Reader, Unit
from app.ledger import tables
from app.ledger.service import head, list_leaves, root_of
from app.sync.heads.tables import signed_head
from app.tlog import merkle


async def root(reader: Reader) -> tuple[int, bytes]:
    """Returns the ledger's size and its Merkle root, from stored hashes."""
    size = (await head(reader)).size
    return size, await root_of(reader, size)


async def roll_back(unit: Unit, size: int) -> None:
    """Put the ledger and its signed heads back to an earlier size, as in a database that was put back."""
    tree = merkle.Tree()
    for sequence, leaf in await list_leaves(unit, 0, size):
        assert sequence == tree.size + 1
        tree.add(merkle.leaf_hash(leaf.encode()))
    await unit.run(delete(tables.record).where(tables.record.c.sequence > size))
    end = (tables.node.c.index + 1) * cast(func.pow(2, tables.node.c.level), BigInteger)
    await unit.run(delete(tables.node).where(end > size))
    await unit.run(update(tables.head).values(size=size))
    await unit.run(delete(signed_head).where(signed_head.c.size > size))
    assert await root_of(unit, size) == tree.root()
