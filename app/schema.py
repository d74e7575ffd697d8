"""Imports every module that defines tables, so that migrations and tests see all of them."""

from app.access import tables as _access
from app.alerting.alerts import tables as _alerts
from app.alerting.escalation import tables as _escalation
from app.alerting.hours import tables as _hours
from app.alerting.notices import tables as _notices
from app.border.checks import tables as _checks
from app.border.clearances import tables as _clearances
from app.border.hits import tables as _hits
from app.border.lookbacks import tables as _lookbacks
from app.border.manifests import tables as _manifests
from app.casework.papers import tables as _papers
from app.db.types import checks_metadata, metadata
from app.ledger import tables as _ledger
from app.maintenance.standstill import tables as _standstill
from app.register.amendments import tables as _amendments
from app.register.departures import tables as _departures
from app.register.entries import tables as _entries
from app.register.objections import tables as _objections
from app.register.rectifications import tables as _rectifications
from app.register.supervision import tables as _supervision
from app.sync.heads import tables as _heads
from app.sync.querylog import tables as _querylog
from app.sync.snapshots import tables as _snapshots
from app.sync.webhooks import tables as _webhooks
from app.sync.witnesses import tables as _witnesses

__all__ = ["MODULES", "checks_metadata", "metadata"]

MODULES = (
    _access,
    _alerts,
    _amendments,
    _checks,
    _clearances,
    _departures,
    _entries,
    _escalation,
    _heads,
    _hits,
    _hours,
    _ledger,
    _lookbacks,
    _manifests,
    _notices,
    _objections,
    _querylog,
    _papers,
    _rectifications,
    _snapshots,
    _standstill,
    _supervision,
    _webhooks,
    _witnesses,
)
"""All modules that define tables; their order does not matter."""
