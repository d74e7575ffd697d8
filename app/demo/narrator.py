"""What a person sees: numbered steps in short sentences, each claim with its mark.

Lines are wrapped here and not by rich, so that a pipe gets the same plain text as a terminal, and a command
that is printed to be pasted is never broken.
"""

import textwrap
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

_INDENT = 4
_LABEL = 7
_WIDEST = 96


class Narrator:
    """Tells the story, and remembers every claim that did not hold.

    Attributes:
        failures: what failed, a sentence each.
        over: whether the story was told to its end.
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
        """A heading of the whole."""
        self._console.print(Text(text, "bold"))

    def say(self, text: str) -> None:
        """A paragraph."""
        self._console.print(Text(textwrap.fill(text, self._width)))

    def pause(self) -> None:
        """An empty line."""
        self._console.print()

    def step(self, title: str) -> None:
        """The next step begins."""
        self._steps += 1
        self.pause()
        head = f"{self._steps:2}. "
        lines = textwrap.fill(title, self._width, initial_indent=head, subsequent_indent=" " * _INDENT)
        self._console.print(Text(lines, "bold"))

    def sent(self, text: str) -> None:
        """What was sent."""
        self._labelled("sent", text, "cyan")

    def came(self, text: str) -> None:
        """What came back."""
        self._labelled("back", text, "yellow")

    def claim(self, sentence: str, holds: bool, instead: object = "") -> None:  # noqa: FBT001 - reads as one
        """Say what should be so, with the mark of whether it is.

        Args:
            sentence: the claim.
            holds: whether it is true.
            instead: what was found, shown where it is not.
        """
        if holds:
            self._labelled(self._yes, sentence, "green")
            return
        self.failed(f"{sentence} (found: {instead})" if instead != "" else sentence)

    def failed(self, sentence: str) -> None:
        """Something went wrong in this step."""
        self.failures.append(f"step {self._steps}: {sentence}" if self._steps else sentence)
        self._labelled(self._no, sentence, "bold red", "red")

    def paste(self, what: str, lines: Iterable[str]) -> None:
        """Lines to be copied, or to be read as they are; never wrapped."""
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
