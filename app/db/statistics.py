"""PostgreSQL's statistics of tables that grow quickly.

The server chooses a statement's plan by the size and the statistics of its tables, and keeps the plan of a prepared
statement until the statistics are renewed. A plan for a small table reads all of it; while an import adds thousands of
rows, each check by such a plan becomes slower. The server's own autovacuum renews statistics too, but only once a
minute.
"""

from typing import Final

from app.db.database import Connection

_GROWN: Final = """
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = ANY (current_schemas(false))
        AND pg_relation_size(c.oid) > (10 + 2 * c.relpages) * current_setting('block_size')::bigint
        AND pg_has_role(c.relowner, 'USAGE')
    ORDER BY c.oid
"""
"""Lists the tables that have more than twice as many pages as when they were last analyzed, and more than ten."""


async def list_grown(connection: Connection) -> list[str]:
    """Return the tables, quoted, that have more than doubled since they were last analyzed. PostgreSQL only.

    Left out are tables of at most ten pages, and tables of another owner, which this user may not analyze.
    """
    return list((await connection.exec_driver_sql(_GROWN)).scalars())


async def analyze(connection: Connection, table: str) -> None:
    """Renew the statistics of one table, unless it is locked, for instance by another process that analyzes it.

    Call it in a transaction of its own: a later failure would undo the statistics, but not the number of pages that the
    server has noted, so that the table would count as analyzed.

    Args:
        connection: a connection with a write transaction.
        table: the table, quoted.
    """
    await connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {table}")
