"""Table of contents of the public API: which routers stand under /v1."""

from fastapi import APIRouter

from app.access.pending_routes import router as pending_changes
from app.access.place_routes import router as places
from app.access.routes import router as access
from app.alerts.routes import router as alerts
from app.alerts.routes import urgent_router
from app.amendments.routes import of_entries as entry_amendments
from app.amendments.routes import router as amendments
from app.checks.routes import guarded as read_checks
from app.checks.routes import router as checks
from app.clearances.routes import router as clearances
from app.departures.routes import router as departures
from app.entries.duty_routes import router as duties
from app.entries.routes import router as entries
from app.hits.routes import router as hits
from app.ledger.routes import router as changes
from app.manifests.routes import router as manifests
from app.notices.routes import router as notices
from app.objections.routes import router as objections
from app.papers.routes import router as papers
from app.rectifications.routes import router as rectifications
from app.statistics.routes import router as statistics
from app.supervision.routes import router as supervision
from app.worklist.routes import router as worklist

router = APIRouter(prefix="/v1")
for part in (
    entries,
    duties,
    entry_amendments,
    amendments,
    objections,
    urgent_router,
    alerts,
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
    places,
    access,
    pending_changes,
    statistics,
):
    router.include_router(part)

TAGS = (
    {"name": "entries", "description": "Measures against persons: submitted, decided on, read."},
    {"name": "amendments", "description": "Extension, correction, revocation, acquittal, annulment."},
    {"name": "urgent entries", "description": "Holds that reach every checkpoint within a second."},
    {"name": "objections", "description": "What is filed against measures, and what their owners answer."},
    {"name": "alerts", "description": "What urgent entries send to checkpoints, and who has it."},
    {"name": "checks", "description": "The question at the border and its three-level answer."},
    {
        "name": "manifests",
        "description": "Passengers asked about before departure, by carriers and checkpoints, and watched until then.",
    },
    {
        "name": "hits",
        "description": "Supervisors say who the traveller was, and which travellers pass from then on.",
    },
    {
        "name": "departure delays",
        "description": "Delayed departures of possible victims: events, never entries.",
    },
    {"name": "correction requests", "description": "Of the persons concerned, answered within 3 x 24 hours."},
    {"name": "supervision", "description": "What a province's supervision team has seen of foreigners."},
    {"name": "worklist", "description": "What waits for an officer, and what they should know."},
    {
        "name": "notices",
        "description": "The officers' alert stream: ends that come near, deadlines that passed.",
    },
    {"name": "papers", "description": "Letters about an entry, and its file for a court."},
    {"name": "changes", "description": "The ledger's feed for integrators and replicas."},
    {"name": "administration", "description": "Agencies, checkpoints, clients, keys, the audit trail."},
    {"name": "operation", "description": "Health, readiness, metrics and the problems' explanations."},
)
"""Every tag of the OpenAPI document."""
