"""What editions add to pages: cards of the dashboard and contents of slots, and the questions that templates ask.

Only what is licensed at this request is shown, and only to whoever holds the permission. A part that fails is missing:
members see nothing of it, administrators a notice in its place.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, url_for
from flask import render_template as flask_render_template
from flask_babel import gettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from app.auth.identity import Identity
from app.config import Settings
from app.editions import registry
from app.editions.declarations import Card, SlotContent
from app.editions.failures import Part
from app.editions.isolation import attempt
from app.editions.readiness import locked_editions
from app.editions.registry import Owned
from app.editions.slots import SLOTS, Slot
from app.license.service import current_standing

DASHBOARD = "dashboard"
_MACROS = "_macros/slots.html"


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as the template shows it."""

    element_id: str
    """Of its heading."""
    title: str
    wide: bool
    content: Markup


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whoever looks at the page, and what is licensed for them."""

    identity: Identity
    features: frozenset[str]
    locked: Collection[str]
    """Names of the editions whose tables are not as they need them."""

    def sees(self, owned: Owned[Card] | Owned[SlotContent]) -> bool:
        """Whether it is licensed and not locked, and whether they hold the permission that it takes."""
        permission = owned.declared.permission
        holds_it = permission is None or self.identity.holds(permission)
        return holds_it and owned.declared.feature in self.features and owned.edition not in self.locked


def configure_slots(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - a step of the assembly
    """Let every template open slots and ask what is licensed: ``{{ slot("account") }}``, ``"x.y" is licensed``."""
    app.jinja_env.globals["slot"] = slot
    app.jinja_env.tests["licensed"] = _asked_in_a_template


def feature_licensed(name: str) -> bool:
    """Whether the feature ``name`` can be used at this request: the license in force brings it, and nothing locks it.

    False for one that no loaded edition declares.
    """
    return name in registry.usable_features(current_standing())


@pass_context
def _asked_in_a_template(_: Context, name: str) -> bool:
    """The same as a test of templates, asked at each rendering.

    It takes the context, or Jinja would answer for a constant once and for all, as it compiles the template.
    """
    return feature_licensed(name)


def render_template(template: str, **context: Any) -> Markup:
    """Render a template; what comes of it is HTML, and is known to be by its type.

    Args:
        template: its name, such as ``acme/board.html``.
        context: the variables that it is given besides those that every page has.
    """
    return Markup(flask_render_template(template, **context))  # noqa: S704 - Jinja has escaped what is in it


def slot(name: str, **values: object) -> Markup:
    """What editions add at one place of a page, as far as the reader may see it; costs no statement of its own.

    Args:
        name: one of ``SLOTS``.
        values: what the slot gives, no more and no less.

    Raises:
        LookupError: there is no such slot.
        TypeError: ``values`` are not what the slot gives.
    """
    place = SLOTS.get(name)
    if place is None:
        raise LookupError(f"there is no slot {name!r:.80}; there are {', '.join(SLOTS)}")
    if values.keys() != set(place.gives):
        wanted, given = (", ".join(names) or "nothing" for names in (place.gives, values))
        raise TypeError(f"the slot {name} gives {wanted}, and the template gave {given}")
    contents = registry.registry().slots.get(name, ())
    cards = registry.registry().cards if name == DASHBOARD else ()
    if not contents and not cards:
        return Markup()
    reader = _reader(place)
    if reader is None:
        return Markup()
    return _cards(cards, reader) + Markup().join(_contents(contents, reader, values))


def _reader(place: Slot) -> _Reader | None:
    """Who is looking; None for nobody, and while the standing is restricted for all places but the Admin screen's."""
    identity = g.get("identity")
    if identity is None:
        return None
    standing = current_standing()
    if standing.restricted and not place.on_admin_screen:
        return None
    return _Reader(identity, registry.usable_features(standing), locked_editions().keys())


def _contents(
    contents: Iterable[Owned[SlotContent]], reader: _Reader, values: Mapping[str, object]
) -> Iterable[Markup]:
    for owned in contents:
        if not reader.sees(owned):
            continue
        name = owned.declared.slot
        called = attempt(Part(owned.edition, f"slot {name}"), _html_of(owned.declared.view, values))
        if called.result is not None:
            yield called.result
        elif reader.identity.is_system_administrator:
            yield _notice(name, owned.edition)


def _cards(cards: Iterable[Owned[Card]], reader: _Reader) -> Markup:
    shown = [card for owned in cards if reader.sees(owned) and (card := _card(owned, reader)) is not None]
    return _macro("cards")(shown) if shown else Markup()


def _card(owned: Owned[Card], reader: _Reader) -> ShownCard | None:
    declared = owned.declared
    called = attempt(Part(owned.edition, f"card {declared.name}"), _html_of(declared.view, {}))
    title = registry.text_of(owned.edition, declared.title)
    if called.result is not None:
        content = called.result
    elif reader.identity.is_system_administrator:
        content = _notice(DASHBOARD, owned.edition, card=title)
    else:
        return None
    return (
        ShownCard(f"card-{owned.edition}-{declared.name}", title, declared.wide, content) if content.strip() else None
    )


def _html_of(view: Callable[..., str], values: Mapping[str, object]) -> Callable[[], Markup]:
    """Call ``view``, and take what it returns for text, unless its type says that it is HTML."""

    def call() -> Markup:
        returned: object = view(**values)
        if not isinstance(returned, str):
            raise TypeError(f"the view returned {type(returned).__name__} in place of a text")
        return escape(returned)

    return call


def _notice(place: str, edition: str, *, card: str = "") -> Markup:
    title = registry.title_of_edition(edition)
    if card:
        text = gettext("The card %(card)s of the edition %(edition)s could not be shown.", card=card, edition=title)
    else:
        text = gettext("What the edition %(edition)s adds here could not be shown.", edition=title)
    return _macro("failed")(place, text, url_for("editions.show", name=edition))


def _macro(name: str) -> Callable[..., Markup]:
    """A macro of the core, called without the variables of a page: making them costs as much as a small page."""
    macro: Callable[..., Markup] = getattr(current_app.jinja_env.get_template(_MACROS).module, name)
    return macro
