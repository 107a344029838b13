"""Hands events on to the listeners of the editions, each isolated from the others and from whoever caused the event.

What a listener announces itself is handed on when all listeners of the event before have been called, so that everybody
hears of what happened in the order in which it happened.
"""

from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import structlog
from flask import Flask, current_app, flash, g, has_request_context, url_for
from flask_babel import gettext

from app.config import Settings
from app.editions.declarations import Listener
from app.editions.failures import Part, configure_failures, report
from app.editions.isolation import attempt
from app.editions.readiness import locked_editions
from app.editions.registry import EditionRegistry, Owned, title_of_edition
from app.events import Event

MOST_STEPS = 8
"""How long a chain of events may be of which each was announced by a listener of the one before."""
MOST_EVENTS = 1_000
"""How many events may follow from one, all in all."""
_log = structlog.get_logger("timetracker.editions")
_Listeners = Mapping[type[Event], tuple[Owned[Listener[Any]], ...]]


class EventsWithoutEndError(Exception):
    """Listeners announce events that lead to more events, and so on; the last one was not handed on."""


@dataclass(frozen=True, slots=True)
class _Announced:
    """An event on its way, and what led to it."""

    event: Event
    by: Part | None
    """The listener that announced it; None for the event that everything began with."""
    chain: tuple[str, ...]
    """Names of the events that led to it, and its own."""


@dataclass(slots=True)
class _Delivery:
    """What follows from one event."""

    waiting: deque[_Announced]
    listener: Part | None = None
    """Whom is being called."""
    chain: tuple[str, ...] = ()
    count: int = 1
    stopped: bool = False
    """Whether something was not handed on any more; told once, or telling it would have no end either."""


_DELIVERY: ContextVar[_Delivery | None] = ContextVar("timetracker_delivery", default=None)


def configure_events(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - a step of the assembly
    """Let ``write_transaction`` hand on what was announced; the editions are registered already."""
    configure_failures(app)
    app.extensions["listeners"] = _listeners(app.extensions["editions"])
    app.extensions["publish"] = publish


def _listeners(editions: EditionRegistry) -> _Listeners:
    by_event: dict[type[Event], tuple[Owned[Listener[Any]], ...]] = {}
    for manifest in editions.in_order:
        for listener in manifest.listeners:
            by_event[listener.event] = (*by_event.get(listener.event, ()), Owned(manifest.name, listener))
    return MappingProxyType(by_event)


def publish(event: Event) -> None:
    """Call every listener of exactly this kind of event, in the order of the editions; raises nothing.

    Within a listener the event is only noted, and handed on when the present one has been heard by everybody.
    """
    delivery = _DELIVERY.get()
    if delivery is not None:
        _note(delivery, event)
    elif _listeners_of(event):
        _deliver(_Delivery(deque([_Announced(event, None, (type(event).__name__,))])))


def _listeners_of(event: Event) -> tuple[Owned[Listener[Any]], ...]:
    listeners: _Listeners = current_app.extensions["listeners"]
    return listeners.get(type(event), ())


def _note(delivery: _Delivery, event: Event) -> None:
    chain = (*delivery.chain, type(event).__name__)
    if len(chain) <= MOST_STEPS and delivery.count < MOST_EVENTS:
        delivery.count += 1
        delivery.waiting.append(_Announced(event, delivery.listener, chain))
    elif delivery.listener is not None and not delivery.stopped:
        delivery.stopped = True
        reason = "one leads to the next" if len(chain) > MOST_STEPS else f"more than {MOST_EVENTS:,} follow from one"
        report(delivery.listener, EventsWithoutEndError(f"{reason}: {' → '.join(chain)}"))


def _deliver(delivery: _Delivery) -> None:
    token = _DELIVERY.set(delivery)
    try:
        while delivery.waiting:
            announced = delivery.waiting.popleft()
            delivery.chain = announced.chain
            for owned in _listeners_of(announced.event):
                _call(delivery, owned, announced.event)
    finally:
        _DELIVERY.reset(token)


def _call(delivery: _Delivery, owned: Owned[Listener[Any]], event: Event) -> None:
    if owned.edition in locked_editions():
        return  # its tables are not as it needs them
    handler = getattr(owned.declared.handler, "__name__", type(owned.declared.handler).__name__)
    part = Part(owned.edition, f"listener {handler} of {type(event).__name__}")
    delivery.listener = part
    if attempt(part, lambda: owned.declared.handler(event)).failed:
        _tell_administrator(owned.edition)


def _tell_administrator(edition: str) -> None:
    """Say on the next page that a listener has failed: once a request, and to administrators alone."""
    identity = g.get("identity") if has_request_context() else None
    if identity is None or not identity.is_system_administrator or "told_of_listeners" in g:
        return
    g.told_of_listeners = True
    try:
        text = gettext(
            "This is saved, but the edition %(edition)s failed to take note of it.", edition=title_of_edition(edition)
        )
        link = {
            "action_label": gettext("Show the error"),
            "action_url": url_for("editions.show", name=edition),
            "action_method": "get",
        }
        flash({"text": text, **link}, "warn")  # type: ignore[arg-type]  # see flash() of _macros/ui.html
    except Exception:  # noqa: BLE001 - the log and the page Editions have the failure
        _log.warning("a failure of a listener was not shown", edition=edition)
