"""Fenced blocks of Markdown, as README and guides hold them: commands, files, and what is only shown."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: ``language`` and, where the fence names one, ``file``."""

    section: str
    line: int
    language: str
    file: str
    text: str


def blocks_of(markdown: str) -> Iterator[Block]:
    """Every block of ``markdown``, in order, with the section of the second level that it stands in."""
    section, opened, fence, lines = "", 0, "", list[str]()
    for number, line in enumerate(markdown.splitlines(), start=1):
        if line.startswith("```"):
            if opened:
                language, _, file = fence.partition(" ")
                yield Block(section, opened, language, file, "\n".join(lines) + "\n")
                opened, lines = 0, []
            else:
                opened, fence = number, line.removeprefix("```")
        elif opened:
            lines.append(line)
        elif line.startswith("## "):
            section = line.removeprefix("## ")
    assert not opened, f"the block of line {opened} is not closed"
