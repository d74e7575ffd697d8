"""What an import did, and what it had to leave out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.entries.listing import Taken
from app.errors import CekalError

Tell = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out.

    Attributes:
        id: its key in the source, or where it stands.
        reason: a stable word, such as `entity` or a problem's slug with underscores; then, after a blank, what
            a person needs to mend it.
    """

    id: str
    reason: str


@dataclass(slots=True)
class Report:
    """Counts of an import, and everything that was left out."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def note(self, reference: str, outcome: Taken | CekalError, where: str = "") -> None:
        """Count what became of one item.

        Args:
            reference: its key.
            outcome: as `listing.take_in` gives it.
            where: where it stands, such as "line 7", for a person who wants to find it.
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
        """Note something that was left out."""
        self.skipped.append(Skipped(reference, reason))

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {
            "added": self.added,
            "changed": self.changed,
            "ended": self.ended,
            "unchanged": self.unchanged,
            "skipped": len(self.skipped),
        }

    def as_json(self) -> dict[str, Any]:
        """The report in the form that scripts rely on (contract section 8)."""
        skipped = [{"id": one.id, "reason": one.reason} for one in self.skipped]
        return {**self.counts(), "skipped": skipped}


def reason_of(error: CekalError) -> str:
    """The word of an error and its first fault: `missing_subject_data at /entry/subject/sex: …`."""
    word = error.slug.replace("-", "_")
    if not error.faults:
        return f"{word}: {error.detail}"
    first, *more = error.faults
    at = f" at {first.pointer}" if first.pointer else ""
    others = f" (and {len(more)} more)" if more else ""
    return f"{word}{at}: {first.detail}{others}"
