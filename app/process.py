"""The shared objects of one process of the service; made by `main`, read by typed accessors in each wing.

A wing uses its own objects only: `gate_of(request)`, `ports_of(request)`, `tail_of(request)`. Each accessor is defined
next to the type that it returns; a test compares these types with the fields.
"""

from dataclasses import dataclass, field

from app.access.admission.callers import Callers
from app.access.admission.gate import Gate
from app.access.admission.quotas import Quotas
from app.access.admission.state import NamesClosed
from app.alerting.alerts.receipts import Receipts
from app.alerting.alerts.tail import Tail
from app.alerting.notices.tail import NoticeTail
from app.alerting.streams.hub import Hub
from app.border.breadth.service import Travellers
from app.border.checks.batcher import Batcher
from app.border.manifests.tail import ManifestTail
from app.operation import Readiness
from app.register.entries.ports import Ports
from app.runtime import Runtime
from app.sync.feed.tail import FeedTail
from app.sync.heads.watch import HeadWatch
from app.sync.snapshots.files import Snapshots
from app.web.metrics import Metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class Process:
    """The shared objects of a process, each made once.

    Attributes:
        runtime: settings, clock and databases.
        metrics: the counters of the process.
        gate: authenticates keys.
        callers: finds the callers of requests.
        quotas: the limits on requests and streams of each caller.
        names_closed: returns whether an answer that is stored for a repeated request names an entry that is now hidden
            from the caller by a seal.
        hub: the streams of alerts.
        tail: the reader of new ledger records for all streams.
        notice_tail: the reader of new notices for officers' streams.
        manifest_tail: the reader of changed answers for the streams of manifests.
        feed_tail: publishes the ledger records that `tail` has read to the streams of changes.
        snapshots: the files with snapshots of the register.
        travellers: the sample of travellers by which broad entries are recognised.
        head_watch: the ages of the newest signed head and of its cosignatures.
        batcher: collects simultaneous checks and answers them together.
        receipts: collects simultaneous receipts of alerts and stores them together.
        ports: functions of wings above `register/`, which `register/` calls without importing them.
        readiness: checks whether the databases can be read and written.
        address: `host` and `port` on which the server listens, for the log; set by the server.
    """

    runtime: Runtime
    metrics: Metrics
    gate: Gate
    callers: Callers
    quotas: Quotas
    names_closed: NamesClosed
    hub: Hub
    tail: Tail
    notice_tail: NoticeTail
    manifest_tail: ManifestTail
    feed_tail: FeedTail
    snapshots: Snapshots
    travellers: Travellers
    head_watch: HeadWatch
    batcher: Batcher
    receipts: Receipts
    ports: Ports
    readiness: Readiness
    address: dict[str, object] = field(default_factory=dict)
