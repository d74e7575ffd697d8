"""Tables of entries. An entry's columns are for queries; the whole entry is stored in `document`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
    text,
)

from app.db.types import Id, Instant, Key, metadata

entry = Table(
    "entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("measure", String(16), nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("agency", ForeignKey("agency.code"), nullable=False),
    Column("formalises", Id, index=True),
    Column("ends_on", Date),
    Column("in_force_from", Instant),
    Column("in_force_until", Instant),
    Column("pending_until", Instant),  # end of the wait for papers that arrived in time
    Column("ended_at", Instant),  # or returned; retention counts from here
    Column("extension_count", Integer, nullable=False, server_default="0"),
    Column("deliver_from", Instant),  # open duty to deliver to the person, since when
    Column("minister_from", Instant),  # open duty to deliver to the minister
    Column("passport_from", Instant),  # open duty to withdraw the passport
    Column("restore_from", Instant),  # open duty to rehabilitate after an annulment by judgment
    Column("erased", Integer, nullable=False, server_default="0"),  # 0 nothing, 1 photo, 2 person
    Column("citizenship", String(3)),
    Column("province", Text),
    Column("sealed", Boolean, nullable=False, server_default=false()),
    Column(
        "norm_version", Integer, nullable=False, server_default="0"
    ),  # version of the rules that made its name keys; 0: none yet
    Column("document", Text, nullable=False),  # the whole entry, JSON
)
Index("ix_entry_agency_id", entry.c.agency, entry.c.id)
Index("ix_entry_state_until", entry.c.state, entry.c.in_force_until)
_waits = entry.c.pending_until.is_not(None)
Index("ix_entry_pending_until", entry.c.pending_until, sqlite_where=_waits, postgresql_where=_waits)
Index("ix_entry_in_force_from", entry.c.in_force_from)  # finds periods that begin
_formal = entry.c.formalises.is_not(None)
Index(  # finds the beginnings that follow an urgent entry, among a million others
    "ix_entry_formal_state_in_force_from",
    entry.c.state,
    entry.c.in_force_from,
    sqlite_where=_formal,
    postgresql_where=_formal,
)
Index("ix_entry_erased_ended_at", entry.c.erased, entry.c.ended_at)  # finds entries due for erasure
Index("ix_entry_agency_state", entry.c.agency, entry.c.state, entry.c.id)
for _open in (
    (entry.c.deliver_from,),
    (entry.c.minister_from,),
    (entry.c.passport_from,),
    (entry.c.restore_from,),
    (entry.c.agency, entry.c.deliver_from),
    (entry.c.agency, entry.c.minister_from),
    (entry.c.agency, entry.c.restore_from),
):
    _name = "_".join(column.name for column in _open)
    _is_open = _open[-1].is_not(None)
    Index(f"ix_entry_{_name}", *_open, sqlite_where=_is_open, postgresql_where=_is_open)

Index("ix_entry_province", entry.c.province, entry.c.id)
Index(
    "ix_entry_sealed",
    entry.c.id,
    sqlite_where=text("sealed = 1"),  # as statements write it; SQLite does not match it with `sealed`
    postgresql_where=entry.c.sealed,
)

seal = Table(
    "entry_seal",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("person", String(64), primary_key=True),  # admitted by the seal, authors included
    Column(
        "barred", Boolean, nullable=False, server_default=false()
    ),  # True: excluded, because the entry may be about the person
)
Index(
    "ix_entry_seal_barred",
    seal.c.person,
    sqlite_where=text("barred = 1"),  # as statements write it
    postgresql_where=seal.c.barred,
)

Index("ix_entry_norm_version", entry.c.norm_version)  # finds outdated name keys

version = Table(
    "entry_version",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("event", String(32), nullable=False),
    Column("by", Id, nullable=False),  # client
    Column("person", String(64)),
    Column("at", Instant, nullable=False, index=True),
    Column("reason", Text),
    Column("document", Text, nullable=False),  # the entry after the event
    Column("salt", LargeBinary(32)),  # of the commitment; erased with the person
    Column("commitment", LargeBinary(32)),  # to document and reason; None in versions of before the query log
)

key = Table(
    "entry_key",
    metadata,
    Column("key", Key, primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("ix_entry_key_entry_id", key.c.entry_id)

name_key = Table(
    "name_key",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    sqlite_with_rowid=False,
)

recent_name_key = Table(
    "recent_name_key",  # SQLite only: name keys of imports, in sorted runs, before they are moved to `name_key`
    metadata,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", Id, primary_key=True),
    sqlite_with_rowid=False,
)

name_key_set = Table(
    "name_key_set",  # all name keys of an entry, so that `name_key` needs no second index
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),  # the keys, eight bytes each
    sqlite_with_rowid=False,
)

birth_key = Table(
    "birth_key",
    metadata,
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # day of birth as ordinal number
    Column("sketch", LargeBinary(16), primary_key=True),  # sketch of a name
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("ix_birth_key_entry_id", birth_key.c.entry_id)

name_form = Table(
    "name_form",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("form", LargeBinary, nullable=False),  # the subject's form for comparison; MessagePack
    sqlite_with_rowid=False,
)

blob = Table(
    "blob",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),  # a `BlobKind`
    Column("media_type", String(64), nullable=False),
    Column("bytes", LargeBinary),  # None once erased; EXTERNAL on PostgreSQL, because pictures are compressed
    Column("erased_at", Instant),
)

duty = Table(
    "entry_duty",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column(
        "version", Integer, primary_key=True, autoincrement=False
    ),  # the entry's version at the time of recording
    Column("done_at", Instant, nullable=False),
    Column("reference", Text),  # the proof; None once erased, like the note
    Column("note", Text),
    Column("by", Id, nullable=False),  # client
    Column("person", String(64)),
    Column("recorded_at", Instant, nullable=False),
)

task = Table(
    "entry_task",
    metadata,
    Column("entry_id", ForeignKey("entry.id"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("cause", String(64), primary_key=True),  # amendment or upgrade that created it
    Column("agency", String(64), nullable=False),  # agency that must do it
    Column("since", Instant, nullable=False),
    Column("done_at", Instant),
    Column("done_by", Id),  # client
    Column("reference", Text),  # the finding; None once erased
)
_waits = task.c.done_at.is_(None)
Index(
    "ix_entry_task_name_agency",
    task.c.name,
    task.c.agency,
    task.c.since,
    sqlite_where=_waits,
    postgresql_where=_waits,
)

source = Table(
    "entry_source",
    metadata,
    Column("origin", String(64), primary_key=True),
    Column("reference", String(200), primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), nullable=False),
    Column("digest", String(64), nullable=False),
)

list_edition = Table(
    "list_edition",
    metadata,
    Column("origin", String(32), primary_key=True),
    Column("edition", Instant, nullable=False),  # when the last imported edition was generated
    Column("imported_at", Instant, nullable=False),
    Column("persons", BigInteger, nullable=False),
)
