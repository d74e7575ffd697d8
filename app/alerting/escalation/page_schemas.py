"""The shape in which every answer shows a page."""

from typing import Annotated, Self

from pydantic import Field

from app.alerting.escalation.domain import Level, Page, PageState
from app.web.wire import Moment, WireOut

Channel = Annotated[str, Field(pattern=r"^[a-z]{1,16}$", examples=["email", "command", "notice"])]
"""Name of a channel to people."""


class PageOut(WireOut):
    """A message to one contact of a checkpoint, because the checkpoint has not acknowledged an alert, or as a test.

    The contact's address is not shown.
    """

    checkpoint: str
    """The checkpoint's code."""
    step: int
    """Number of steps that were taken at this checkpoint before, over all rounds of its policy."""
    level: Annotated[Level, Field(description="Where the contact is.")]
    channel: Channel
    """The channel."""
    drill: bool
    """Whether the message is only a test of the channel."""
    state: Annotated[
        PageState,
        Field(
            description="`due`: it waits for its first or next attempt; `sent`: the channel has accepted it; `failed`: "
            "it can't be sent; `dropped`: not sent, because the alert was acknowledged or over before."
        ),
    ]
    attempts: int
    """Number of attempts so far."""
    at: Moment
    """When the message was made."""
    done_at: Moment | None
    """When the message was sent, failed for good or was dropped; null before."""

    @classmethod
    def of(cls, page: Page) -> Self:
        """Convert a page to the API's model."""
        return cls(
            checkpoint=page.checkpoint,
            step=page.step,
            level=page.level,
            channel=page.channel,
            drill=page.drill,
            state=page.state,
            attempts=page.attempts,
            at=page.created_at,
            done_at=page.done_at,
        )
