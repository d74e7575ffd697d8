"""Offices, by which a supervision team's province is known; seals; supervision reports.

Entries from before have no province, so no supervision team sees them; and none of them is sealed.
"""

import sqlalchemy as sa
from alembic import op

from app.access.domain import normal_person
from app.db.migrate import REGISTER
from app.db.types import Id, Instant, Key
from app.identity import names

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    _offices()
    _clients()
    _seals()
    _reports()


def downgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    for table in ("supervision_report", "ledger_closed", "entry_seal", "office"):
        op.drop_table(table)
    op.drop_index("ix_entry_sealed", "entry")
    op.drop_index("ix_entry_province", "entry")
    for column in ("citizenship", "province", "sealed"):
        op.drop_column("entry", column)
    for column in ("person_key", "folded_name"):
        op.drop_index(op.f(f"ix_client_{column}"), "client")
        op.drop_column("client", column)


def _offices() -> None:
    op.create_table(
        "office",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_office_agency")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_office")),
    )
    op.create_index(op.f("ix_office_agency"), "office", ["agency"])


def _clients() -> None:
    op.add_column("client", sa.Column("person_key", sa.String(length=64), nullable=True))
    op.add_column("client", sa.Column("folded_name", Key, nullable=True))
    op.create_index(op.f("ix_client_person_key"), "client", ["person_key"])
    op.create_index(op.f("ix_client_folded_name"), "client", ["folded_name"])
    client = sa.table(
        "client",
        sa.column("id", Id),
        sa.column("name", sa.Text),
        sa.column("person", sa.String),
        sa.column("person_key", sa.String),
        sa.column("folded_name", sa.String),
    )
    connection = op.get_bind()
    persons = connection.execute(
        sa.select(client.c.id, client.c.name, client.c.person).where(client.c.person.is_not(None))
    ).all()
    for client_id, name, person in persons:
        found_by = {"person_key": normal_person(person), "folded_name": names.fold(name)[:200]}
        connection.execute(sa.update(client).where(client.c.id == client_id).values(**found_by))


def _seals() -> None:
    op.add_column("entry", sa.Column("citizenship", sa.String(length=3), nullable=True))
    op.add_column("entry", sa.Column("province", sa.Text(), nullable=True))
    op.add_column("entry", sa.Column("sealed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_entry_province", "entry", ["province", "id"])
    op.create_index(
        "ix_entry_sealed",
        "entry",
        ["id"],
        sqlite_where=sa.column("sealed"),
        postgresql_where=sa.column("sealed"),
    )
    op.create_table(
        "entry_seal",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_seal_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "person", name=op.f("pk_entry_seal")),
    )
    op.create_table(
        "ledger_closed",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_closed")),
    )


def _reports() -> None:
    op.create_table(
        "supervision_report",
        sa.Column("id", Id, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(length=32), nullable=False),
        sa.Column("office", sa.String(length=64), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("filed_by", Id, nullable=False),
        sa.Column("filed_at", Instant(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["agency"], ["agency.code"], name=op.f("fk_supervision_report_agency")),
        sa.ForeignKeyConstraint(["office"], ["office.code"], name=op.f("fk_supervision_report_office")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervision_report")),
        sa.UniqueConstraint("year", "ordinal", name=op.f("uq_supervision_report_year_ordinal")),
    )
    op.create_index("ix_supervision_report_province", "supervision_report", ["province", "id"])
