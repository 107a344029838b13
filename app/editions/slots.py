"""The slots: named places of pages where editions may add something.

A template opens one with ``{{ slot("user.detail", user_id=user.id) }}``; an edition fills it with a ``SlotContent``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Slot:
    """A named place of a page."""

    name: str
    where: str
    """Where it is and who sees it, in English: for the guide."""
    gives: tuple[str, ...] = ()
    """The keyword arguments that the view of a ``SlotContent`` is called with."""
    on_admin_screen: bool = False
    """Whether it is on the Admin screen, which goes on while the license restricts everything else."""


SLOTS: Mapping[str, Slot] = MappingProxyType(
    {
        slot.name: slot
        for slot in (
            Slot("dashboard", "The start page, below the cards of the editions."),
            Slot("navigation.tools", "The bar at the top of every page but those of System Settings, for members."),
            Slot("account", "The page Account, below the person's own data."),
            Slot(
                "user.detail",
                "System Settings → Users → a user, below the user's data.",
                ("user_id",),
                on_admin_screen=True,
            ),
            Slot("settings.footer", "The foot of every page of System Settings.", on_admin_screen=True),
        )
    }
)
"""Every slot by its name; the guide lists them, and a test compares."""
