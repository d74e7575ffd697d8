"""Monthly partitions of the checks on PostgreSQL, bounded by the time in the ids and created ahead of time."""

import logging
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.access.domain import SYSTEM
from app.db.faults import Outage, outage
from app.kit.ids import first_id
from app.runtime import Runtime

logger = logging.getLogger(__name__)

MONTHS_AHEAD = 2


async def make_months(runtime: Runtime) -> None:
    """Create the missing monthly partitions of the table of checks, for this month and the next two.

    Does nothing on SQLite. If a partition can't be created, a warning is logged and nothing is raised. The month's
    checks are then stored in the default partition: no data are lost, but queries are slower. This happens, for
    example, if the table is busy, or if the default partition has checks of the month already.

    Raises:
        DBAPIError: the database can't be reached or does not work.
    """
    if runtime.checks.is_sqlite:
        return
    year, month = runtime.clock().year, runtime.clock().month
    for _ in range(MONTHS_AHEAD + 1):
        following = (year + month // 12, month % 12 + 1)
        begins = first_id("chk", datetime(year, month, 1, tzinfo=UTC))
        ends = first_id("chk", datetime(*following, 1, tzinfo=UTC))
        statement = (
            f"CREATE TABLE IF NOT EXISTS check_record_{year:04}{month:02} "
            f"PARTITION OF check_record FOR VALUES FROM ('{begins}') TO ('{ends}')"
        )
        try:
            async with runtime.writing_checks(SYSTEM) as unit:
                await unit.run(text("SET LOCAL lock_timeout = '2s'"))
                await unit.run(text("SELECT pg_advisory_xact_lock(hashtext('check_record partitions'))"))
                await unit.run(text(statement))
        except DBAPIError as error:
            if outage(error) not in (None, Outage.BUSY):
                raise
            logger.warning("no partition was made for the checks of %04d-%02d", year, month, exc_info=True)
        year, month = following
