"""A witness: it cosigns each head of a known log that continues the one it cosigned before."""

import logging
from pathlib import Path
from typing import Final

from app.kit.clock import Clock
from app.kit.plausibility import Plausibility
from app.tlog.contradictions import Contradiction, Evidence, contradiction
from app.tlog.keys import SignatureInvalid, VerifierKey
from app.tlog.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency
from app.tlog.notes import Note
from app.tlog.policy import Policy
from app.tlog.signed import Opened, open_checkpoint
from app.witness.domain import (
    UNPROVED,
    ClockDoubted,
    CosignedHead,
    HeadConflict,
    HeadRefused,
    OriginUnknown,
    Submission,
    SubmissionMalformed,
)
from app.witness.identity import Identity, IdentityRefused, default_name, expect_name, take_keys
from app.witness.store import Store, origin_hash

CLOCK_TOLERANCE: Final = 60
"""Seconds by which the time of a log's signature may be ahead of the witness's clock, and by which this clock may be
behind the newest cosignature."""

logger = logging.getLogger(__name__)


class Witness:
    """Cosigns a submitted head of a trusted log if it continues the head of that log that was cosigned last.

    Only one thread at a time may use it.

    Args:
        store: the witness's file of heads and evidence.
        identity: the witness's name and keys.
        policy: the policy whose logs are trusted; its witnesses and quorum are ignored.
        clock: the witness's clock.
        plausibility: detects that the clock is set while the witness runs; None to detect nothing, in tests.
    """

    def __init__(
        self,
        store: Store,
        identity: Identity,
        policy: Policy,
        clock: Clock,
        plausibility: Plausibility | None = None,
    ) -> None:
        self.identity = identity
        self._store = store
        self._clock = clock
        self._plausibility = plausibility
        self._logs = _by_origin(policy)

    @property
    def origins(self) -> list[str]:
        """The origins of the trusted logs, sorted."""
        return sorted(self._logs)

    def trust(self, policy: Policy) -> None:
        """Trust the logs of this policy, and no others, from now on."""
        self._logs = _by_origin(policy)

    def add_checkpoint(self, body: bytes) -> str:
        """Verify a submitted head, cosign it, and store it durably (C2SP tlog-witness).

        The head is refused if its tree does not continue the tree of the log's head that was cosigned last. If the two
        heads contradict each other, both are stored as evidence. If only the times of their signatures contradict each
        other, both are stored as evidence too, and the new head is cosigned.

        Args:
            body: the body of the request.

        Returns:
            The cosignatures, as lines of a note.

        Raises:
            SubmissionMalformed: the body is malformed, or its old size is larger than the size of its head.
            OriginUnknown: no log of this origin is trusted.
            SignatureInvalid: no key of the log signed the head, a signature is wrong, or its time is in the future.
            HeadConflict: the proof does not begin at the size that was cosigned last, or the head has this size and
                another root.
            HeadRefused: the proof does not show that the head continues the one that was cosigned last.
            ClockDoubted: this machine's clock may be wrong.
            sqlite3.Error: the head can't be stored.
        """
        submission = Submission.parse(body)
        keys = self._logs.get(submission.checkpoint.origin)
        if keys is None:
            raise OriginUnknown(
                "this witness does not know the origin; its operator adds a log to the policy"
            )
        offered = open_checkpoint(submission.note, keys)
        now = int(self._clock().timestamp())
        refused: Exception | None = None
        with self._store.writing():
            held = self._store.head(origin_hash(submission.checkpoint.origin))
            try:
                self._expect_continued(submission, offered, held, keys, now)
                return self._cosign(offered, now)
            except (SubmissionMalformed, HeadConflict, HeadRefused, SignatureInvalid, ClockDoubted) as error:
                refused = error  # and evidence that was kept is committed
        raise refused

    def latest(self, hashed: str) -> Note | None:
        """Return the head of a log that was cosigned last, as a note; None if there is none.

        `hashed` is the `origin_hash` of the log.
        """
        held = self._store.head(hashed)
        return held.note if held else None

    def accept_clock(self) -> None:
        """Accept the machine's present time as correct, although cosignatures were made at later times.

        The later times in the witness's file are lowered to the present time. Otherwise `doubt` would report a clock
        that is behind them.
        """
        self._store.lower_cosigned_at(int(self._clock().timestamp()))

    def doubt(self) -> str | None:
        """Return why the clock may be wrong; None while it is plausible.

        Raises:
            sqlite3.Error: the witness's file can't be read.
        """
        return self._doubt(int(self._clock().timestamp()))

    def _doubt(self, now: int) -> str | None:
        behind = self._store.last_cosigned_at() - now
        if behind > CLOCK_TOLERANCE:
            return f"this machine's clock is {behind} seconds behind the newest cosignature"
        return self._plausibility.doubt() if self._plausibility else None

    def _expect_continued(
        self,
        submission: Submission,
        offered: Opened,
        held: CosignedHead | None,
        keys: list[VerifierKey],
        now: int,
    ) -> None:
        """Raise what is wrong with an offered head; keep both heads where they contradict each other."""
        head = submission.checkpoint
        old = held.checkpoint if held else None
        found = self._keep_contradiction(submission, offered, held, keys, now) if held else None
        if submission.old_size > head.size:
            raise SubmissionMalformed("the old size is larger than the checkpoint's")
        size, root = (old.size, old.root) if old else (0, EMPTY_ROOT)
        if submission.old_size != size or (head.size == size and head.root != root):
            raise HeadConflict(size)
        try:
            verify_consistency(size, head.size, root, head.root, submission.path)
        except ProofInvalid as error:
            if found is None and held and head.size > size:
                self._store.keep(UNPROVED, head.origin, Evidence(held.note, _signed_note(offered)), now)
            raise HeadRefused(str(error)) from None

    def _keep_contradiction(
        self, submission: Submission, offered: Opened, held: CosignedHead, keys: list[VerifierKey], now: int
    ) -> Contradiction | None:
        try:
            before = open_checkpoint(held.note, keys)
        except SignatureInvalid:  # the policy names other keys by now
            return None
        own = _signed_note(offered)
        if offered.checkpoint.size <= held.checkpoint.size:
            evidence, heads = Evidence(own, held.note), (offered, before)
        else:
            path = submission.path if submission.old_size == held.checkpoint.size else ()
            evidence, heads = Evidence(held.note, own, path), (before, offered)
        found = contradiction(*heads, evidence.path)
        if found is not None and self._store.keep(found, held.checkpoint.origin, evidence, now):
            logger.error(
                "a log contradicts itself; both heads are kept as evidence",
                extra={
                    "origin": held.checkpoint.origin,
                    "contradiction": found,
                    "held_size": held.checkpoint.size,
                    "offered_size": offered.checkpoint.size,
                },
            )
        return found

    def _cosign(self, offered: Opened, now: int) -> str:
        ahead = max((time for time in offered.signed.values() if time is not None), default=0) - now
        if ahead > CLOCK_TOLERANCE:
            raise SignatureInvalid(
                f"the log's signature is dated {ahead} seconds ahead of the witness's clock"
            )
        doubt = self._doubt(now)
        if doubt is not None:
            raise ClockDoubted(doubt)
        time = max(now, self._store.last_cosigned_at())
        lines = self.identity.cosign(offered.note.text, time)
        signed = _signed_note(offered)
        note = Note(signed.text, (*signed.signatures, *lines))
        self._store.set_head(CosignedHead(offered.checkpoint, note), time)
        return "".join(map(str, lines))


def open_witness(
    data_dir: Path, policy: Policy, name: str | None, clock: Clock, plausibility: Plausibility | None
) -> Witness:
    """Return the witness whose data are in a folder; at the first start its keys and its file are made there.

    Args:
        data_dir: the witness's folder; it is made with mode 0700 if it is missing.
        policy: the policy whose logs are trusted.
        name: the name that the witness must have; None for the stored name, or at the first start the machine's.
        clock: the witness's clock.
        plausibility: detects that the clock is set while the witness runs; None to detect nothing, in tests.

    Raises:
        IdentityRefused: the keys can't be used or are not those of the first start; the name is invalid or not the
            stored one; or the file is missing although there are keys.
        sqlite3.Error: the witness's file can't be used.
        OSError: the folder can't be made, or a key can't be read or written.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(data_dir)
    known = store.identity()
    name_at_first = expect_name(name or default_name()) if known is None else ""
    keys = take_keys(data_dir, make=known is None)
    if known is None:
        identity = Identity(name_at_first, keys)
        store.set_identity(identity.name, vkeys_text(identity))
    else:
        identity = Identity(known[0], keys)
        if name is not None and name != identity.name:
            raise IdentityRefused(f"This witness is {identity.name}, and its name is never changed.")
        if vkeys_text(identity) != known[1]:
            raise IdentityRefused("The keys are not this witness's: put the ones of its first start back.")
    return Witness(store, identity, policy, clock, plausibility)


def vkeys_text(identity: Identity) -> str:
    """Return a witness's public keys as text, one vkey a line."""
    return "".join(f"{key}\n" for key in identity.vkeys)


def _by_origin(policy: Policy) -> dict[str, list[VerifierKey]]:
    logs: dict[str, list[VerifierKey]] = {}
    for log in policy.logs:
        logs.setdefault(log.key.name, []).append(log.key)
    return logs


def _signed_note(opened: Opened) -> Note:
    """Return a note with one verified signature of each key, whatever else was sent with it."""
    known = {(key.name, key.key_id) for key in opened.signed}
    verified = {(each.name, each.key_id): each for each in opened.note.signatures}
    return Note(opened.note.text, tuple(each for key, each in verified.items() if key in known))
