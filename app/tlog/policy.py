"""Policies (C2SP tlog-policy): the trusted logs and witnesses, and the quorum of witnesses that suffices."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Self

from app.tlog.keys import KeyKind, KeyMalformed, VerifierKey

NO_WITNESS = "none"
"""The quorum of a policy that demands no cosignature."""

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK = " \t"


class PolicyMalformed(ValueError):
    """A policy file breaks a rule of the specification; the message names the line, if it is about one."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A log or a witness of a policy.

    Attributes:
        name: for a witness, its name within the policy; for a log, its origin.
        key: the public key.
        url: the address of the log or witness; None if the policy has none.
    """

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True)
class _Group:
    """A group of names; at least `least` of them must have witnessed a checkpoint."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """The content of a policy file: which logs and witnesses are trusted, and which cosignatures suffice.

    Attributes:
        logs: the trusted logs.
        witnesses: the trusted witnesses, by their name in the policy.
        quorum: what a checkpoint needs to be accepted. The name of a witness: its cosignature. The name of a group: the
            cosignatures of as many members as the policy demands. `none`: no cosignature.
    """

    logs: tuple[Peer, ...]
    witnesses: dict[str, Peer]
    quorum: str
    _groups: dict[str, _Group]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the policy in the bytes of a policy file.

        In names, bytes that are not UTF-8 become surrogates (surrogateescape).

        Raises:
            PolicyMalformed: the file breaks a rule of the specification.
        """
        reading = _Reading()
        text = data.decode(errors="surrogateescape")
        for number, line in enumerate(text.split("\n"), 1):
            if _FORBIDDEN.search(line):
                raise PolicyMalformed(f"line {number}: a control character")
            words = line.strip(_BLANK).replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                try:
                    reading.take(words)
                except (PolicyMalformed, KeyMalformed) as error:
                    raise PolicyMalformed(f"line {number}: {error}") from None
        if reading.quorum is None:
            raise PolicyMalformed("the policy has no quorum line")
        return cls(tuple(reading.logs), reading.witnesses, reading.quorum, reading.groups)

    def is_witnessed(self, cosigners: Iterable[VerifierKey]) -> bool:
        """Return whether the cosignatures by these keys suffice for the policy's quorum.

        The caller must have verified that the keys cosigned the same checkpoint.
        """
        return self.fewest(cosigners) is not None

    def fewest(self, cosigners: Iterable[VerifierKey]) -> tuple[VerifierKey, ...] | None:
        """Return the smallest set of the given keys whose cosignatures suffice for the quorum, in the policy's order.

        If several sets are equally small, the policy's first keys are chosen.

        Returns:
            The keys; empty for the quorum `none`; None if not even all of the given keys suffice.
        """
        keys = set(cosigners)
        chosen: dict[str, tuple[VerifierKey, ...] | None] = {NO_WITNESS: ()}
        for name, peer in self.witnesses.items():
            chosen[name] = (peer.key,) if peer.key in keys else None
        for name, group in self._groups.items():  # each group names only what is defined before it
            met = sorted((some for each in group.members if (some := chosen[each]) is not None), key=len)
            enough = len(met) >= group.least
            chosen[name] = tuple(chain.from_iterable(met[: group.least])) if enough else None
        fewest = chosen[self.quorum]
        order = (peer.key for peer in self.witnesses.values())
        return None if fewest is None else tuple(key for key in order if key in fewest)

    def published(self, logs: Iterable[VerifierKey]) -> Self:
        """Return a copy of the policy for readers: its logs are the keys `logs`, and witnesses have no addresses."""
        peers = {name: replace(peer, url=None) for name, peer in self.witnesses.items()}
        return replace(self, logs=tuple(Peer(key.name, key, None) for key in logs), witnesses=peers)

    @classmethod
    def without_witnesses(cls) -> Self:
        """Return the policy that trusts no log and needs no cosignature."""
        return cls((), {}, NO_WITNESS, {})

    def __str__(self) -> str:
        """Return the policy file; bytes of names that are not UTF-8 stay surrogates."""
        lines = [["log", str(peer.key), peer.url] for peer in self.logs]
        lines += [["witness", name, str(peer.key), peer.url] for name, peer in self.witnesses.items()]
        lines += [["group", name, str(each.least), *each.members] for name, each in self._groups.items()]
        lines.append(["quorum", self.quorum])
        return "".join(" ".join(word for word in line if word) + "\n" for line in lines)


class _Reading:
    """A policy while its lines are read, and the rules for each kind of line."""

    def __init__(self) -> None:
        self.logs: list[Peer] = []
        self.witnesses: dict[str, Peer] = {}
        self.groups: dict[str, _Group] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, words: list[str]) -> None:
        """Take one line's words."""
        match words[0]:
            case "log":
                self._log(words[1:])
            case "witness":
                self._witness(words[1:])
            case "group":
                self._group(words[1:])
            case "quorum":
                self._quorum(words[1:])
            case other:
                raise PolicyMalformed(f"{other} is not log, witness, group or quorum")

    def _log(self, words: list[str]) -> None:
        key = VerifierKey.parse(_word(words, 0, "a log's vkey"))
        if any(each.key.public == key.public for each in self.logs):
            raise PolicyMalformed("a log of this key is there already")
        self.logs.append(Peer(key.name, key, _url(words, 1)))

    def _witness(self, words: list[str]) -> None:
        name = self._new_name(words)
        key = VerifierKey.parse(_word(words, 1, "a witness's vkey"))
        if key.kind is KeyKind.ED25519:
            raise PolicyMalformed("a witness's key is of a timestamped kind")
        if any(each.key.public == key.public for each in self.witnesses.values()):
            raise PolicyMalformed("a witness of this key is there already")
        self.witnesses[name] = Peer(name, key, _url(words, 2))

    def _group(self, words: list[str]) -> None:
        name, rule, members = self._new_name(words), _word(words, 1, "any, all or a number"), words[2:]
        for member in members:
            if member not in {*self.witnesses, *self.groups}:
                raise PolicyMalformed(f"{member} is not defined above")
            if member in self._grouped:
                raise PolicyMalformed(f"{member} is in a group already")
            self._grouped.add(member)
        least = {"any": 1, "all": len(members)}.get(rule) or (
            int(rule) if rule.isascii() and rule.isdigit() and len(rule) < len(members) + 9 else 0
        )
        if not 1 <= least <= len(members):
            raise PolicyMalformed("a group needs members, and any, all or a number of them")
        self.groups[name] = _Group(least, tuple(members))

    def _quorum(self, words: list[str]) -> None:
        name = _word(words, 0, "the name of a witness or a group, or none")
        if self.quorum is not None:
            raise PolicyMalformed("a policy has one quorum line")
        if name not in {NO_WITNESS, *self.witnesses, *self.groups} or len(words) > 1:
            raise PolicyMalformed(f"{name} is not defined above")
        self.quorum = name

    def _new_name(self, words: list[str]) -> str:
        name = _word(words, 0, "a name")
        if name in {NO_WITNESS, *self.witnesses, *self.groups}:
            raise PolicyMalformed(f"{name} is taken already")
        return name


def _word(words: list[str], at: int, what: str) -> str:
    if len(words) <= at:
        raise PolicyMalformed(f"{what} is missing")
    return words[at]


def _url(words: list[str], at: int) -> str | None:
    if len(words) > at + 1:
        raise PolicyMalformed("too many words")
    return words[at] if len(words) > at else None
