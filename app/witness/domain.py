"""What a witness receives, what it stores, and why it refuses (no I/O)."""

from dataclasses import dataclass
from typing import Self

from app.tlog.checkpoints import Checkpoint, parse_hash, parse_size
from app.tlog.notes import LONGEST_NOTE, Note, NoteMalformed

MOST_HASHES = 63
"""Lines of the longest consistency proof (C2SP tlog-witness, "add-checkpoint")."""

LONGEST_BODY = LONGEST_NOTE + 64 * 64
"""Bytes of the longest body: the longest note, and 64 lines of a size or a hash."""


class SubmissionMalformed(ValueError):
    """The body of a request `add-checkpoint` (a head and its proof) is malformed; the message gives the reason."""


class OriginUnknown(Exception):
    """Raised if the policy does not name the log of a submitted checkpoint."""


class HeadRefused(Exception):
    """Raised if the proof does not show that a head continues the head cosigned last; the message gives the reason."""


class HeadConflict(Exception):
    """Raised if a submission does not begin at the head of the log that the witness has cosigned last.

    Either the proof begins at another size, or the submitted head has that head's size and another root.

    Attributes:
        size: the size of the head that was cosigned last; 0 if none of the log was cosigned.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"the latest cosigned size is {size}")
        self.size = size


class ClockDoubted(Exception):
    """Raised instead of signing if the witness's clock may be wrong; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of a request `add-checkpoint`: a log's head, and the proof that it continues an earlier one.

    Nothing in it is verified.

    Attributes:
        old_size: the size of the head that the sender believes to be cosigned last; the proof begins there.
        path: the hashes of the consistency proof.
        note: the signed checkpoint.
        checkpoint: the checkpoint in the note.
    """

    old_size: int
    path: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Return the submission in the body of a request, without verifying it.

        Raises:
            SubmissionMalformed: the body breaks a rule of the specification, or is larger than `LONGEST_BODY`.
        """
        if len(body) > LONGEST_BODY:
            raise SubmissionMalformed(f"the body has more than {LONGEST_BODY} bytes")
        before, separator, data = body.partition(b"\n\n")
        if not separator or not before.isascii():
            raise SubmissionMalformed("the body is an old size, a proof, an empty line and a checkpoint")
        first, *hashes = before.decode().split("\n")
        if not first.startswith("old "):
            raise SubmissionMalformed("the first line is the word old and a size")
        if len(hashes) > MOST_HASHES:
            raise SubmissionMalformed(f"a consistency proof has at most {MOST_HASHES} hashes")
        try:
            old_size = parse_size(first.removeprefix("old "))
            path = tuple(map(parse_hash, hashes))
            note = Note.parse(data)
            checkpoint = Checkpoint.parse(note.text)
        except NoteMalformed as error:
            raise SubmissionMalformed(str(error)) from None
        return cls(old_size, path, note, checkpoint)


@dataclass(frozen=True, slots=True)
class CosignedHead:
    """The head of a log that the witness has cosigned last.

    Attributes:
        checkpoint: the head: origin, size and root.
        note: the signed text of the head, with the log's verified signatures and the witness's cosignatures.
    """

    checkpoint: Checkpoint
    note: Note


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """Two heads of one log that may contradict each other, as the witness has stored them.

    Attributes:
        number: the number of this evidence in the witness's file.
        found_at: POSIX time at which the second head was submitted.
        origin: the log's origin.
        kind: the `Contradiction` that the heads prove; `UNPROVED` if a wrong proof came with the second head, so that
            it is not known whether the log contradicts itself.
        file: the text of the evidence file.
    """

    number: int
    found_at: int
    origin: str
    kind: str
    file: str


UNPROVED = "unproved"
"""The kind of evidence if a wrong consistency proof came with the second head. It accuses nobody, because anybody can
send a right head with a wrong proof. The log's operator must show the right proof."""
