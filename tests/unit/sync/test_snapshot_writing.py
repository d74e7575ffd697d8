"""Writing a snapshot's file."""

import resource
import secrets
from contextlib import closing
from pathlib import Path

import pytest

from app.sync.snapshots.writing import Writer


def test_what_could_not_be_written_is_an_error_even_if_there_is_room_again(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(Writer(tmp_path / "begun")) as writer:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # as if the disk were full
        try:
            for _ in range(20):  # each of them waits until the one before the last is written
                writer.add_line(b'"%b"' % secrets.token_hex(100_000).encode())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        with pytest.raises(OSError, match="File too large"):
            writer.finish()


def test_a_file_is_not_written_twice(tmp_path: Path) -> None:
    with closing(Writer(tmp_path / "begun")) as writer:
        writer.finish()
    with pytest.raises(FileExistsError):
        Writer(tmp_path / "begun")
