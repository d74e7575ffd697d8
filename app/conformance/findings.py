"""The checks of a conformance run, their findings, and running them in order (no I/O)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S")


class Outcome(StrEnum):
    """The result of a check."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAIL = "fail"
    SKIPPED = "skipped"


class Failed(Exception):
    """Raised by a check whose promise is broken; the message is one sentence about what was seen."""


class Skipped(Exception):
    """Raised by a check that can't be made, for example without data; the message is one sentence with the reason."""


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """A promise, and the function that checks it.

    Attributes:
        name: a name that never changes, for scripts that read the findings.
        promise: the promise, in one sentence.
        needs: names of the checks that must have succeeded before; otherwise this one is skipped.
        run: makes the check. Returns one sentence about what was seen, or raises Failed or Skipped.
    """

    name: str
    promise: str
    needs: Sequence[str]
    run: Callable[[S], str]


@dataclass(frozen=True, slots=True)
class Finding:
    """The finding of one check.

    Attributes:
        check: the check's name.
        promise: the promise that it checked.
        outcome: its result.
        seen: one sentence about what was seen.
    """

    check: str
    promise: str
    outcome: Outcome
    seen: str


class Checks(Generic[S]):
    """A list of checks in the order in which they are made; the decorator `promise` adds a function as a check."""

    def __init__(self) -> None:
        self.all: list[Check[S]] = []

    def promise(
        self, name: str, sentence: str, *needs: str
    ) -> Callable[[Callable[[S], str]], Callable[[S], str]]:
        """Return a decorator that adds a function as a check.

        Args:
            name: the check's name.
            sentence: the promise.
            needs: names of the checks that must have succeeded before; otherwise this one is skipped.
        """

        def add(run: Callable[[S], str]) -> Callable[[S], str]:
            self.all.append(Check(name, sentence, needs, run))
            return run

        return add


def examine(
    checks: Sequence[Check[S]], session: S, broken: Mapping[type[Exception], str]
) -> Iterator[Finding]:
    """Make checks one after the other, and yield the finding of each.

    Args:
        checks: the checks, each after those that it needs.
        session: the object that each check gets. A check reads by it, and may store in it what later checks need.
        broken: classes of errors, each with a text. If a check raises an error of such a class, the check has failed,
            and the finding's sentence begins with the text. An error of another class is raised.
    """
    passed: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name not in passed]
        if missing:
            outcome, seen = Outcome.SKIPPED, f"It builds on {', '.join(missing)}, which did not pass."
        else:
            outcome, seen = _made(check, session, broken)
        if outcome is Outcome.PASS:
            passed.add(check.name)
        yield Finding(check.name, check.promise, outcome, seen)


def _made(check: Check[S], session: S, broken: Mapping[type[Exception], str]) -> tuple[Outcome, str]:
    try:
        return Outcome.PASS, check.run(session)
    except Failed as failure:
        return Outcome.FAIL, str(failure)
    except Skipped as reason:
        return Outcome.SKIPPED, str(reason)
    except tuple(broken) as error:
        words = next(words for kind, words in broken.items() if isinstance(error, kind))
        return Outcome.FAIL, f"{words}: {type(error).__name__} {error}".rstrip() + "."
