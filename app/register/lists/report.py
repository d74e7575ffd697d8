"""The report of an import: how many items had which outcome, and which items were left out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.errors import CekalError
from app.register.entries.listing import ImportOutcome

Progress = Callable[[int, int], None]
"""Callback for progress: receives the amount done and the total."""


def no_progress(_done: int, _total: int) -> None:
    """Do nothing; a `progress` function for callers that show no progress."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An item that was not imported.

    Attributes:
        id: its key in the source, or its position there.
        reason: a stable code (such as `entity`, or the slug of an API problem with underscores); then the details that
            a person needs to correct it.
    """

    id: str
    reason: str


@dataclass(slots=True)
class Report:
    """Counts of an import, and every item that was not imported."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def note(self, reference: str, outcome: ImportOutcome | CekalError, where: str = "") -> None:
        """Count the outcome of one item; an item whose outcome is an error is added to `skipped`.

        Args:
            reference: the item's key.
            outcome: the item's result of `listing.import_items`.
            where: the item's position in the file, such as "line 7"; empty without one.
        """
        match outcome:
            case "added":
                self.added += 1
            case "changed":
                self.changed += 1
            case "unchanged":
                self.unchanged += 1
            case CekalError():
                self.skip(reference, reason_of(outcome) + (f" ({where})" if where else ""))

    def skip(self, reference: str, reason: str) -> None:
        """Add an item to `skipped`.

        Args:
            reference: the item's key in the source.
            reason: why it was not imported (see `Skipped`).
        """
        self.skipped.append(Skipped(reference, reason))

    def counts(self) -> dict[str, int]:
        """Return the number of items by outcome: added, changed, ended, unchanged, skipped."""
        return {
            "added": self.added,
            "changed": self.changed,
            "ended": self.ended,
            "unchanged": self.unchanged,
            "skipped": len(self.skipped),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON for scripts: the counts by name, and the list `skipped` with ids and reasons."""
        skipped = [{"id": one.id, "reason": one.reason} for one in self.skipped]
        return {**self.counts(), "skipped": skipped}


def reason_of(error: CekalError) -> str:
    """Return an error as text: its code, then the pointer and detail of its first fault, or else its own detail.

    For example `missing_subject_data at /entry/subject/sex: …`.
    """
    word = error.slug.replace("-", "_")
    if not error.faults:
        return f"{word}: {error.detail}"
    first, *more = error.faults
    at = f" at {first.pointer}" if first.pointer else ""
    others = f" (and {len(more)} more)" if more else ""
    return f"{word}{at}: {first.detail}{others}"
