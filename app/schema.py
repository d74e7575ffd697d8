"""Imports every module that defines tables: the two sets of tables, for migrations and tests."""

from app.access import tables as _access
from app.alerts import tables as _alerts
from app.amendments import tables as _amendments
from app.checks import tables as _checks
from app.clearances import tables as _clearances
from app.db.types import checks_metadata, metadata
from app.departures import tables as _departures
from app.entries import tables as _entries
from app.hits import tables as _hits
from app.ledger import tables as _ledger
from app.lookbacks import tables as _lookbacks
from app.manifests import tables as _manifests
from app.notices import tables as _notices
from app.objections import tables as _objections
from app.rectifications import tables as _rectifications
from app.standstill import tables as _standstill
from app.supervision import tables as _supervision

__all__ = ["MODULES", "checks_metadata", "metadata"]

MODULES = (
    _access,
    _alerts,
    _amendments,
    _checks,
    _clearances,
    _departures,
    _entries,
    _hits,
    _ledger,
    _lookbacks,
    _manifests,
    _notices,
    _objections,
    _rectifications,
    _standstill,
    _supervision,
)
"""The modules, in no order that matters."""
