"""A carrier's answer leaves by the number of its documents."""

import pytest

from app.border.manifests.answer_delay import send_after


@pytest.mark.parametrize(
    ("elapsed", "documents", "leaves"),
    [
        (0.0, 0, 0.25),
        (0.001, 1, 0.25),
        (0.2499, 100, 0.25),
        (0.2501, 100, 0.5),
        (0.001, 101, 0.5),
        (0.49, 200, 0.5),
        (1.2, 300, 1.5),
        (2.4, 1000, 2.5),
    ],
)
def test_the_time_is_a_whole_multiple_of_what_the_documents_say(
    elapsed: float, documents: int, leaves: float
) -> None:
    assert send_after(elapsed, documents, 0.25) == pytest.approx(leaves)


def test_without_a_step_nothing_is_waited_for() -> None:
    assert send_after(0.3, 300, 0.0) == pytest.approx(0.3)
