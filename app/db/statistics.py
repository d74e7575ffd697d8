"""PostgreSQL's statistics of tables that grow quickly.

The server chooses a statement's plan by the size and the statistics of its tables, and keeps the plan of a prepared
statement until the statistics are renewed. A plan for a small table reads all of it; while an import adds thousands of
rows, each check by such a plan becomes slower. The server's own autovacuum renews statistics too, but only once a
minute.
"""

from typing import Final

from app.db.database import Connection

_GROWN: Final = """
    SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname = ANY (current_schemas(false))
        AND pg_relation_size(c.oid) > (10 + 2 * c.relpages) * current_setting('block_size')::bigint
"""
"""Names the tables that have more than twice as many pages as when they were last analyzed, and more than ten."""


async def analyze_grown(connection: Connection) -> None:
    """Renew the statistics of the tables that have more than doubled since they were last analyzed. PostgreSQL only.

    Left out are tables of at most ten pages, tables that are locked, for instance by another process that analyzes
    them, and tables that this user may not analyze.
    """
    grown = (await connection.exec_driver_sql(_GROWN)).scalar_one()
    if grown is not None:
        await connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {grown}")
