"""The table of accepted clocks."""

from sqlalchemy import Column, Integer, Table

from app.db.types import Instant, metadata

acceptance = Table(
    "clock_acceptance",
    metadata,
    Column(
        "number", Integer, primary_key=True, autoincrement=False
    ),  # from 1: what comes after a doubt ends it
    Column("at", Instant, nullable=False),  # what the register's clock said
)
