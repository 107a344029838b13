"""The global navigation: which items a user sees, in which area, under which standing."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flask import request, url_for
from flask_babel import gettext

from app.auth.identity import Identity
from app.license.policy import Standing
from app.translation import N_


@dataclass(frozen=True, slots=True)
class NavItem:
    """One item of a menu; ``endpoint`` is declared, the rest is filled in for the request."""

    endpoint: str
    label: str
    """Message id where it is declared, text where it is shown."""
    icon: str = ""
    children: tuple["NavItem", ...] = ()
    feature: str | None = None
    """A feature without which members do not see the item and administrators see it locked."""
    permission: str | tuple[str, ...] | None = None
    """A permission without which nobody sees the item; of several, one is enough."""
    url: str = ""
    current: bool = False
    locked: bool = False
    note: str = ""
    """Why it is locked, such as ``available in Professional``; a text in the reader's language."""

    @property
    def permissions(self) -> tuple[str, ...]:
        """The permissions of which one is enough; none where everybody sees the item."""
        if self.permission is None:
            return ()
        return self.permission if isinstance(self.permission, tuple) else (self.permission,)


@dataclass(frozen=True, slots=True)
class Navigation:
    """What the bar at the top shows."""

    area: str = ""
    items: tuple[NavItem, ...] = ()
    tabs: tuple[NavItem, ...] = ()
    user_menu: tuple[NavItem, ...] = field(default=())


SYSTEM_OPERATION = NavItem(
    "license.show",
    N_("System Operation"),
    "server",
    children=(
        NavItem("license.show", N_("License"), "key"),
        NavItem("editions.index", N_("Editions"), "puzzle"),
        NavItem("operation.status", N_("Status"), "server"),
        NavItem("operation.audit", N_("Audit log"), "shield-lock"),
    ),
)
SYSTEM_SETTINGS = (
    NavItem("users.index", N_("Users"), "users"),
    NavItem("general.edit", N_("General"), "settings"),
    SYSTEM_OPERATION,
)


def build_navigation(
    identity: Identity | None, standing: Standing, members_items: tuple[NavItem, ...] = ()
) -> Navigation:
    """The navigation of this request.

    Args:
        identity: who is logged in; nobody gets an empty one.
        standing: while it is restricted, the way back to one's hours is gone.
        members_items: what editions offer outside System Settings, already decided by license, with labels in the
            reader's language: each edition has its own catalogue.
    """
    if identity is None:
        return Navigation()
    blueprint = request.blueprint or ""
    # Whoever may not enter System Settings sees no way around in it either, on the page that says so.
    is_settings_page = blueprint in {"users", "general", "license", "editions", "operation"}
    in_settings = is_settings_page and identity.is_system_administrator
    user_menu = [NavItem("auth.account", N_("Account"), "user")]
    if in_settings and not standing.restricted:
        user_menu.append(NavItem("home.index", N_("Back to my hours"), "arrow-left"))
    if identity.is_system_administrator:
        user_menu.append(NavItem("users.index", N_("System Settings"), "settings"))
    if not in_settings:
        items = () if standing.restricted else members_items
        return Navigation(items=_shown(items), user_menu=_shown(_translated(user_menu)))
    items = _shown(_translated(SYSTEM_SETTINGS))
    tabs = next((item.children for item in items if item.children and item.current), ())
    menu = _shown(_translated(user_menu))
    marked = [replace(item, current=item.current or item.endpoint == "users.index") for item in menu]
    return Navigation(gettext("System Settings"), items, tabs, tuple(marked))


def _translated(items: Iterable[NavItem]) -> tuple[NavItem, ...]:
    """Items of the core, in the reader's language."""
    return tuple(replace(item, label=gettext(item.label), children=_translated(item.children)) for item in items)


def _shown(items: Iterable[NavItem]) -> tuple[NavItem, ...]:
    """Items of one menu with their addresses; of those whose pages are this page's neighbours, one is current."""
    filled = tuple(_with_addresses(item) for item in items)
    current = _current_endpoint(filled)
    return tuple(_marked(item, current) for item in filled)


def _with_addresses(item: NavItem) -> NavItem:
    children = tuple(_with_addresses(child) for child in item.children)
    return replace(item, url=url_for(item.endpoint), children=children)


def _current_endpoint(items: Iterable[NavItem]) -> str:
    """The endpoint of the item that this page belongs to, or nothing.

    It is one of the page's own blueprint. Where a menu leads to several pages of a blueprint, the longest address that
    this one begins with decides, for an edition's first page lies above its others; without any, the first does.
    """
    of_this_blueprint = [
        leaf
        for item in items
        for leaf in (item.children or (item,))
        if leaf.endpoint.rpartition(".")[0] == request.blueprint
    ]
    path = _folder(request.script_root + request.path)

    def nearness(leaf: NavItem) -> tuple[bool, int]:
        return leaf.endpoint == request.endpoint, len(leaf.url) if path.startswith(_folder(leaf.url)) else 0

    return max(of_this_blueprint, key=nearness).endpoint if of_this_blueprint else ""


def _folder(address: str) -> str:
    return address.rstrip("/") + "/"


def _marked(item: NavItem, current: str) -> NavItem:
    children = tuple(_marked(child, current) for child in item.children)
    is_current = any(child.current for child in children) if children else item.endpoint == current
    return replace(item, children=children, current=is_current)
