"""Every permission there is: the core's and those that the loaded editions declare."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from flask_babel import gettext

from app.editions.registry import registry, text_of, title_of_edition
from app.security import PERMISSIONS


@dataclass(frozen=True, slots=True)
class Grantable:
    """A permission that can be granted now; its texts are in the reader's language."""

    name: str
    title: str
    description: str = ""
    """What its holders can do; empty where the title says it."""
    edition: str = ""
    """Title of the edition that declares it; empty for the core's."""


def permissions() -> Mapping[str, Grantable]:
    """By name: the core's permissions first, then those of the loaded editions in their order."""
    core = (Grantable(name, gettext(title)) for name, title in PERMISSIONS.items())
    return MappingProxyType({held.name: held for held in (*core, *edition_permissions())})


def edition_permissions() -> tuple[Grantable, ...]:
    """Those that the loaded editions declare."""
    owners = ((held, held.name.partition(".")[0]) for held in registry().permissions.values())
    return tuple(
        Grantable(
            held.name, text_of(edition, held.title), text_of(edition, held.description), title_of_edition(edition)
        )
        for held, edition in owners
    )


def permission_title(name: str) -> str:
    """The title of a permission; its name where no loaded edition declares it any more."""
    held = permissions().get(name)
    return held.title if held is not None else name
