"""The table of acceptances of the clock by a person."""

from sqlalchemy import Column, Integer, Table

from app.db.types import Instant, metadata

acceptance = Table(
    "clock_acceptance",
    metadata,
    Column(
        "number", Integer, primary_key=True, autoincrement=False
    ),  # from 1: an acceptance with a higher number than the one before a doubt ends the doubt
    Column("at", Instant, nullable=False),  # the time of the register's clock
)
