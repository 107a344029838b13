"""A file that is sent with how far it is, for the script of the export page, ``standard-exports.js``. Pure.

What is sent is a row of frames: how many rows have been read, and how many bytes of the file follow, as two unsigned
numbers of four bytes, the higher byte first; then those bytes. A frame without bytes is the last one, so that a file
that breaks off is known as such.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import TypeVar

HEAD = Struct(">II")
_Row = TypeVar("_Row")


@dataclass
class RowCount:
    """How many rows have passed so far."""

    passed: int = 0

    def counted(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """The same rows, counted as they pass."""
        for row in rows:
            self.passed += 1
            yield row


def framed(parts: Iterable[bytes], count: RowCount) -> Iterator[bytes]:
    """The parts of a file in frames, whose rows pass ``count``."""
    for part in parts:
        if part:
            yield HEAD.pack(count.passed, len(part)) + part
    yield HEAD.pack(count.passed, 0)
