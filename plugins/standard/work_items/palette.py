"""The colours that a project can have.

Pure. Each is a class of ``standard-colours.css`` with one value for light and one for dark, at least 4:1 against the
ground. A colour never says anything alone: the name of the project stands beside its swatch.
"""

from collections.abc import Mapping
from types import MappingProxyType

from app.sdk import N_

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "blue": N_("Blue"),
        "teal": N_("Teal"),
        "green": N_("Green"),
        "olive": N_("Olive"),
        "amber": N_("Amber"),
        "orange": N_("Orange"),
        "red": N_("Red"),
        "pink": N_("Pink"),
        "purple": N_("Purple"),
        "grey": N_("Grey"),
    }
)
"""Titles by the names that are stored, in the order in which they are offered."""


def colour_for(number: int) -> str:
    """The colour of the ``number``-th project that has chosen none: one after the other, without the grey one."""
    names = list(COLOURS)[:-1]
    return names[number % len(names)]
