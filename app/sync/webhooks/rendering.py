"""The bodies of deliveries, rendered from the ledger when they are sent: nothing of them is stored.

So a retry and a replay show what their receiver may see now: after a seal, an erasure or the end of an alert they
show less than the first attempt did.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from app.actor import Actor
from app.alerting.alerts.delivered import list_over, list_received
from app.alerting.alerts.rendering import at_gate, render_alert
from app.alerting.alerts.store import still_holding
from app.db.unit import Reader
from app.kit.clock import rfc3339
from app.kit.json_text import on_one_line
from app.ledger import service as ledger
from app.ledger.domain import Closures, Record
from app.ledger.selecting import list_chosen
from app.settings import Settings
from app.sync.feed.asking import READERS
from app.sync.feed.domain import within_scope
from app.sync.feed.rendering import members_of, text_of
from app.sync.heads.service import read_origin
from app.sync.webhooks.addresses import target_of
from app.sync.webhooks.domain import Delivery, Endpoint, Payload, is_checkpoints

logger = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode

_ALERT_NUMBERS: Final = frozenset({"id", "sequence", "previous_sequence"})
"""Members of a rendered alert that its record has beside the personal part."""


class Claimed(NamedTuple):
    """A claimed delivery, its endpoint, and the client of the endpoint; only data that the client may see are sent."""

    delivery: Delivery
    endpoint: Endpoint
    actor: Actor

    def __str__(self) -> str:
        """Return the delivery's id, by which the log names it."""
        return self.delivery.id


class Rendered(NamedTuple):
    """A claimed delivery with the body of its request.

    Attributes:
        claimed: the delivery, its endpoint and the client.
        needed: whether the delivery must still be sent; if not, the caller drops it.
        body: the body; None if the delivery is not needed, or if its event can't be rendered.
    """

    claimed: Claimed
    needed: bool
    body: bytes | None


class _Ledger(NamedTuple):
    """What is read of the ledger and of alerts to render some deliveries."""

    origin: str
    epoch: str
    records: dict[int, Record]
    closures: Closures
    holding: dict[str, bool]


async def render(reader: Reader, claimed: Sequence[Claimed], settings: Settings) -> list[Rendered]:
    """Return claimed deliveries with the bodies of their requests, in the same order.

    A body contains only what the client may see now. A delivery of an alert is not needed if the alert is over, or if
    the client has sent a receipt of it; a replayed alert is always needed. An event that can't be rendered is logged,
    and has no body.
    """
    numbers = {each.delivery.sequence for each in claimed if each.delivery.sequence is not None}
    records = await list_chosen(reader, numbers)
    alert_ids = {
        each.delivery.alert_id for each in claimed if each.delivery.urgent and each.delivery.alert_id
    }
    over = await list_over(reader, alert_ids)
    received = await list_received(reader, alert_ids)
    read = _Ledger(
        await read_origin(reader),
        (await ledger.head(reader)).epoch,
        records,
        await ledger.closures_among(reader, records.values()),
        await still_holding(reader, records.values()),
    )
    rendered = []
    for each in claimed:
        alert_id, urgent = each.delivery.alert_id, each.delivery.urgent
        done = (alert_id, each.actor.client_id) in received
        needed = not (urgent and (alert_id in over or done))
        rendered.append(Rendered(each, needed, _try_event(each, read, settings) if needed else None))
    return rendered


def _try_event(claimed: Claimed, read: _Ledger, settings: Settings) -> bytes | None:
    """Return a delivery as an event, or None after an error, which is logged: others must be sent."""
    try:
        return _event(claimed, read, settings)
    except Exception:
        logger.exception("a delivery can't be rendered", extra={"delivery": claimed.delivery.id})
        return None


def _event(claimed: Claimed, read: _Ledger, settings: Settings) -> bytes:
    """Return a delivery as an event: JSON in the form of CloudEvents 1.0."""
    delivery, endpoint = claimed.delivery, claimed.endpoint
    record = None if delivery.sequence is None else read.records.get(delivery.sequence)
    subject: str | None
    if record is None:
        subject, at = endpoint.id, rfc3339(delivery.created_at)
        data: dict[str, Any] = {"endpoint_id": endpoint.id, **_NO_FACTS, **delivery.facts}
    else:
        subject, at = record.alert_id or record.entry_id, rfc3339(record.at)
        full = endpoint.payload is Payload.FULL and may_be_full(endpoint.url, settings)
        data = _full(claimed.actor, record, read) if full else _thin(claimed.actor, record, read.epoch)
    event = {
        "specversion": "1.0",
        "id": delivery.message_id,
        "source": read.origin,
        "type": delivery.type,
        "time": at,
        "subject": subject,
        "sequence": None if record is None else f"{record.sequence:015d}",
        "datacontenttype": "application/json",
        "data": data,
    }
    return on_one_line(_encode(event))


_NO_FACTS: Final = {"failing_since": None, "failures": None}


def _thin(actor: Actor, record: Record, epoch: str) -> dict[str, Any]:
    """Return ids, and the path at which the receiver reads the rest with its key."""
    if is_checkpoints(actor) and record.alert_id:
        link = f"/v1/alerts?after={epoch}.{record.sequence - 1}&limit=1"
    else:
        link = f"/v1/changes?after={epoch}.{record.sequence - 1}&limit=1"
    return {
        "sequence": record.sequence,
        "type": record.type.value,
        "at": rfc3339(record.at),
        "entry_id": record.entry_id,
        "alert_id": record.alert_id,
        "version": record.version,
        "link": link,
    }


def _full(actor: Actor, record: Record, read: _Ledger) -> dict[str, Any]:
    """Return the record as the feed shows it to the receiver; to a checkpoint, an alert as alerts show it.

    A client that may not read the feed gets no personal part of a record, whatever agency it belongs to.
    """
    reads_feed = actor.holds(*READERS)
    in_scope = reads_feed and within_scope(record.entry_id, record.agency, actor, read.closures)
    members = msgspec.structs.asdict(members_of(text_of(record), in_scope=in_scope))
    if in_scope or not is_checkpoints(actor) or record.alert_id is None:
        return members
    shown = render_alert(record, to_gate=at_gate(actor), holding=read.holding)
    if shown is None:
        return members
    content = {name: value for name, value in shown.items() if name not in _ALERT_NUMBERS}
    return {**members, "personal": content, "withheld": None}


def may_be_full(url: str, settings: Settings) -> bool:
    """Return whether full records may be sent to a URL: it is https, and its host is in `CEKAL_WEBHOOK_FULL_HOSTS`.

    Raises:
        AddressRefused: the URL has a form that an endpoint may not have.
    """
    target = target_of(url)
    return not target.plain and target.host in settings.webhook_full_hosts
