"""Answers with a file of this machine, read in pieces in a thread; the file may be deleted meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from io import BufferedReader
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

PIECE: Final = 256 * 1024
"""Number of bytes that are read and sent at a time."""


class FileAnswer(StreamingResponse):
    """An answer that sends a range of bytes of an open file, and closes the file when it is sent or has failed.

    Args:
        file: the file.
        part: the range of the file's bytes to read.
        status: the status of the answer.
        headers: the answer's headers, `content-length` included.
        media_type: the answer's media type.
        convert: converts each piece that was read to the bytes that are sent; None sends the pieces unchanged.
    """

    def __init__(
        self,
        file: BufferedReader,
        part: range,
        status: int,
        headers: Mapping[str, str],
        media_type: str,
        convert: Callable[[bytes], bytes] | None = None,
    ) -> None:
        super().__init__(_pieces(file, part, convert), status, headers, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer and close the file, also after a failure.

        Raises:
            EOFError: the file has become shorter than the part.
        """
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _pieces(
    file: BufferedReader, part: range, convert: Callable[[bytes], bytes] | None
) -> AsyncIterator[bytes]:
    def read(count: int) -> tuple[int, bytes]:
        piece = file.read(count)
        return len(piece), piece if convert is None else convert(piece)

    file.seek(part.start)
    left = len(part)
    while left:
        count, piece = await asyncio.to_thread(read, min(PIECE, left))
        if count == 0:
            raise EOFError("the file is shorter than it was")
        left -= count
        yield piece
