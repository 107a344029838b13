"""The desktop application as a wheel, made from the sources that lie beside this file."""

import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from flit_core.wheel import make_wheel_in

SOURCES = Path(__file__).parent / "client"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel to be downloaded."""

    name: str
    """Of the file, with its version."""
    content: bytes = field(repr=False)


@cache
def client_wheel() -> Wheel:
    """Make it; once a process, which takes some hundredths of a second.

    It needs no network, and works where the application was itself installed from a wheel.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = make_wheel_in(SOURCES / "pyproject.toml", Path(folder)).file
        return Wheel(made.name, made.read_bytes())
