"""The table of papers: the signed head that the letter of a record shows, so that its bytes stay the same."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from app.db.types import metadata

letter_head = Table(
    "letter_head",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),  # of the letter's record
    Column("standing", String(16), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),  # with the signatures in the letter's code only
)
