"""The routers of the public API under /v1."""

from fastapi import APIRouter

from app.access.clients.routes import router as access
from app.access.pending.routes import router as pending_changes
from app.access.places.routes import router as places
from app.alerting.alerts.routes import router as alerts
from app.alerting.alerts.routes import urgent_router
from app.alerting.coverage.routes import router as coverage
from app.alerting.escalation.routes import router as escalation
from app.alerting.hours.routes import router as hours
from app.alerting.notices.routes import router as notices
from app.border.checks.routes import guarded as read_checks
from app.border.checks.routes import router as checks
from app.border.clearances.routes import router as clearances
from app.border.hits.routes import router as hits
from app.border.manifests.routes import router as manifests
from app.casework.papers.routes import router as papers
from app.casework.statistics.routes import router as statistics
from app.casework.worklist.routes import router as worklist
from app.register.amendments.routes import of_entries as entry_amendments
from app.register.amendments.routes import router as amendments
from app.register.departures.routes import router as departures
from app.register.entries.duties.routes import router as duties
from app.register.entries.routes import router as entries
from app.register.objections.routes import router as objections
from app.register.rectifications.routes import router as rectifications
from app.register.supervision.routes import router as supervision
from app.sync.feed.routes import router as changes
from app.sync.heads.routes import open_router as signing_keys
from app.sync.heads.routes import router as heads
from app.sync.log.routes import router as proofs
from app.sync.snapshots.routes import router as snapshots
from app.sync.webhooks.routes import router as webhooks

router = APIRouter(prefix="/v1")
for part in (
    entries,
    duties,
    entry_amendments,
    amendments,
    objections,
    urgent_router,
    alerts,
    coverage,
    escalation,
    checks,
    read_checks,
    manifests,
    hits,
    clearances,
    departures,
    rectifications,
    papers,
    supervision,
    worklist,
    notices,
    changes,
    snapshots,
    heads,
    signing_keys,
    proofs,
    webhooks,
    places,
    hours,
    access,
    pending_changes,
    statistics,
):
    router.include_router(part)

TAGS = (
    {"name": "entries", "description": "Measures against persons: submitted, decided on, read."},
    {"name": "amendments", "description": "Extension, correction, revocation, acquittal, annulment."},
    {"name": "urgent entries", "description": "Holds that reach every checkpoint within a second."},
    {"name": "objections", "description": "Objections against measures, and their owners' answers."},
    {"name": "alerts", "description": "Alerts about urgent entries to checkpoints, and their receipts."},
    {
        "name": "escalation",
        "description": "The people that are paged when a checkpoint does not acknowledge an alert; daily drills.",
    },
    {"name": "checks", "description": "The check of a traveller at the border: clear, refer or refuse."},
    {
        "name": "manifests",
        "description": "Passengers checked before departure, for carriers and checkpoints, and their later changes.",
    },
    {
        "name": "hits",
        "description": "Stops of travellers, their resolution by supervisors, and clearances of other persons.",
    },
    {
        "name": "departure delays",
        "description": "Delayed departures of possible victims: events, never entries.",
    },
    {"name": "correction requests", "description": "Of the persons concerned, answered within 3 x 24 hours."},
    {"name": "supervision", "description": "Supervision teams' observations of foreigners."},
    {"name": "worklist", "description": "An officer's tasks and latest notices."},
    {
        "name": "notices",
        "description": "Notices to officers: near ends, passed deadlines, silent checkpoints.",
    },
    {"name": "papers", "description": "Letters about an entry, and its file for a court."},
    {"name": "changes", "description": "The ledger's feed for integrators and replicas."},
    {
        "name": "proof",
        "description": "Signed heads, proofs and the ledger as a C2SP tiled log: for anybody's own check.",
    },
    {
        "name": "webhooks",
        "description": "Records posted to endpoints of integrators and checkpoints, signed, at least once.",
    },
    {"name": "administration", "description": "Agencies, checkpoints, clients, keys, the audit trail."},
    {"name": "operation", "description": "Health, readiness, metrics and the problems' explanations."},
)
"""Every tag of the OpenAPI document."""
