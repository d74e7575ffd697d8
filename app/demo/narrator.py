"""The output of the demonstration: numbered steps in short sentences, each claim marked as true or false.

Lines are wrapped here and not by rich, so that a pipe receives the same plain text as a terminal, and commands
to paste are never wrapped.
"""

import textwrap
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

_INDENT = 4
_LABEL = 7
_WIDEST = 96


class Narrator:
    """Prints the story, and remembers every false claim.

    Attributes:
        failures: one sentence for each false claim or failed step.
        over: whether the story has reached its end; set by `demo.story`.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.failures: list[str] = []
        self.over = False
        self._console = console or Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._width = min(self._console.width, _WIDEST)
        plain = self._console.options.ascii_only
        self._yes, self._no = ("ok", "FAILED") if plain else ("\N{CHECK MARK}", "\N{BALLOT X}")
        self._steps = 0

    def title(self, text: str) -> None:
        """Print the title."""
        self._console.print(Text(text, "bold"))

    def say(self, text: str) -> None:
        """Print a paragraph."""
        self._console.print(Text(textwrap.fill(text, self._width)))

    def pause(self) -> None:
        """Print an empty line."""
        self._console.print()

    def step(self, title: str) -> None:
        """Print the numbered heading of the next step."""
        self._steps += 1
        self.pause()
        head = f"{self._steps:2}. "
        lines = textwrap.fill(title, self._width, initial_indent=head, subsequent_indent=" " * _INDENT)
        self._console.print(Text(lines, "bold"))

    def sent(self, text: str) -> None:
        """Print a request that was sent."""
        self._labelled("sent", text, "cyan")

    def received(self, text: str) -> None:
        """Print an answer that was received."""
        self._labelled("back", text, "yellow")

    def claim(self, sentence: str, holds: bool, instead: object = "") -> None:  # noqa: FBT001 - reads as one
        """Print a claim with a mark for true or false; record it as a failure if it is false.

        Args:
            sentence: the claim.
            holds: whether the claim is true.
            instead: the value that was found instead, shown if the claim is false.
        """
        if holds:
            self._labelled(self._yes, sentence, "green")
            return
        self.failed(f"{sentence} (found: {instead})" if instead != "" else sentence)

    def failed(self, sentence: str) -> None:
        """Print and record a failure in this step."""
        self.failures.append(f"step {self._steps}: {sentence}" if self._steps else sentence)
        self._labelled(self._no, sentence, "bold red", "red")

    def paste(self, what: str, lines: Iterable[str]) -> None:
        """Print the heading `what`, and lines for copying, which are never wrapped."""
        self.pause()
        self._console.print(Text(what, "bold"))
        for line in lines:
            self._console.print(Text(line))

    def _labelled(self, label: str, text: str, style: str, text_style: str = "") -> None:
        first, *more = textwrap.wrap(text, self._width - _INDENT - _LABEL)
        head = " " * _INDENT + label.ljust(_LABEL)
        self._console.print(Text.assemble((head, style), (first, text_style)))
        for line in more:
            self._console.print(Text(" " * len(head) + line, text_style))
