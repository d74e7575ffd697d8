"""What an import reports, and how a reason reads."""

from app.errors import DuplicateEntry, Fault, Invalid, MissingSubjectData
from app.register.lists.report import Report, reason_of


def test_outcomes_are_counted_and_refusals_listed():
    report = Report()
    for outcome in ("added", "added", "changed", "unchanged"):
        report.note("x", outcome)
    report.note("old-7", DuplicateEntry("Known."), "line 7")
    report.skip("900", "entity")
    report.ended += 1
    assert report.as_json() == {
        "added": 2,
        "changed": 1,
        "ended": 1,
        "unchanged": 1,
        "skipped": [
            {"id": "old-7", "reason": "duplicate_entry: Known. (line 7)"},
            {"id": "900", "reason": "entity"},
        ],
    }
    assert report.counts()["skipped"] == 2


def test_a_reason_begins_with_the_problem_and_shows_the_first_fault():
    faults = [
        Fault("/subject/sex", "required", "The sex is required."),
        Fault("/subject/birth", "required", "Too."),
    ]
    assert reason_of(MissingSubjectData("…", faults=faults)) == (
        "missing_subject_data at /subject/sex: The sex is required. (and 1 more)"
    )
    assert reason_of(Invalid("…", faults=[Fault("", "too_long", "Too long.")])) == "validation: Too long."
