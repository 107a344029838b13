"""What an edition says about itself. Authors import these names from ``app.sdk``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import click
from flask import Blueprint
from sqlalchemy.orm import DeclarativeBase

from app.editions.declarations import AuditAction, Card, Feature, Listener, Permission, SlotContent
from app.editions.settings import Setting
from app.navigation import NavItem
from app.security import Audience, Credential, Representation, access, declare, needs

_View = TypeVar("_View", bound=Callable[..., Any])


class EditionBlueprint(Blueprint):
    """A Flask blueprint whose pages need a licensed feature, with templates and static files beside its module.

    A view that needs another feature than ``feature`` is decorated with ``requires_feature``. Where ``feature`` is
    None, every view has to be: one that declares none is answered to nobody.
    """

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        feature: str | None,
        permission: str | None = None,
        url_prefix: str | None = None,
        representation: Representation = Representation.HTML,
        credential: Credential = Credential.SESSION,
        scope: str | None = None,
    ) -> None:
        """Make the blueprint.

        Args:
            name: the name of the edition, or that name, an underscore and more; the first part of the endpoints.
            import_name: ``__name__`` of the module; ``templates/`` and ``static/`` are looked for beside it.
            feature: name of the feature that its pages need.
            permission: name of a permission that whoever asks for its pages must hold; None asks for none.
            url_prefix: where its addresses begin; None takes ``/`` and the name.
            representation: the form in which it answers, refusals included.
            credential: what proves who asks; nothing else that a request brings is looked at, and what takes tokens
                needs no CSRF token.
            scope: the scope that personal tokens must have, where ``credential`` is that of personal tokens.

        Raises:
            ValueError: ``permission`` without ``feature``: views would forget it when they name a feature themselves.
        """
        if permission is not None and feature is None:
            raise ValueError("a blueprint that asks for a permission has to name a feature too")
        super().__init__(
            name,
            import_name,
            template_folder="templates",
            url_prefix=f"/{name}" if url_prefix is None else url_prefix,
        )
        if (Path(self.root_path) / "static").is_dir():
            self.static_folder = "static"
        if feature is not None:
            declare(
                self,
                Audience.MEMBER,
                representation,
                feature=feature,
                permission=permission,
                credential=credential,
                scope=scope,
            )


def requires_feature(name: str) -> Callable[[_View], _View]:
    """Decorate a view that needs the feature ``name``; stands below the route decorator.

    Whoever asks for it without the feature gets 402 and a page that explains.
    """
    return needs(feature=name)


def requires_permission(name: str) -> Callable[[_View], _View]:
    """Decorate a view that only holders of the permission ``name`` may ask for; stands below the route decorator.

    Others get 403. The feature of the blueprint, or of ``requires_feature``, is needed as well.
    """
    return needs(permission=name)


def open_to(
    audience: Audience,
    *,
    feature: str | None = None,
    permission: str | None = None,
    representation: Representation = Representation.HTML,
    credential: Credential = Credential.SESSION,
) -> Callable[[_View], _View]:
    """Decorate a view that is for others than its blueprint says; stands below the route decorator.

    What the blueprint needs does not count for it. A page that is open to ``Audience.PUBLIC`` is answered to the whole
    network, whatever the license says, and can need neither feature nor permission. One whose ``credential`` is a token
    asks for no CSRF token, and knows of nobody who is logged in; where that is the token of a device, the license says
    whether it is answered, and it can need a feature.
    """
    return access(audience, representation, feature=feature, permission=permission, credential=credential)


class Edition:
    """A plug-in that brings features and pages. Subclass it, and name the subclass in ``timetracker.editions``.

    The entry point has the same name as the edition::

        [options.entry_points]
        timetracker.editions =
            acme = acme_edition:AcmeEdition

    All attributes are read once, at the start, and checked before anything of the edition is put to use. An edition
    that does not pass is shown with the reason on System Operation → Editions; the application works without it.
    """

    name: ClassVar[str]
    """Slug that license keys name it by: lower-case letters, digits and underscores, such as ``field_service``."""

    title: ClassVar[str]
    """What people call it; a text marked with ``N_``."""

    api_version: ClassVar[int]
    """The version of ``app.sdk`` it was written for, as a plain number; see ``app.sdk.API_VERSION``."""

    description: ClassVar[str] = ""
    """One sentence on what it is for; a text marked with ``N_``."""

    version: ClassVar[str] = ""
    """Its version; empty takes that of the package which brings it."""

    requires_app: ClassVar[str] = ""
    """Versions of the application that it works with (PEP 440), such as ``>=1.2,<2``; empty takes every version."""

    order: ClassVar[int] = 100
    """Where it stands among others, in menus, on the dashboard and in slots: lower numbers first, then by name."""

    extends: ClassVar[str | None] = None
    """Name of an edition that is part of this one: a license for this one brings the features of both."""

    included_in: ClassVar[tuple[str, ...]] = ()
    """Makes it a module: names of the editions whose licenses bring its features. No license names a module itself."""

    features: ClassVar[tuple[Feature, ...]] = ()
    """What it brings, in the order in which it is shown."""

    permissions: ClassVar[tuple[Permission, ...]] = ()
    """What administrators may grant to single users because of it."""

    settings: ClassVar[tuple[Setting[Any], ...]] = ()
    """What administrators decide for it on System Operation → Editions, in the order in which it is shown."""

    audit_actions: ClassVar[tuple[AuditAction, ...]] = ()
    """What it records in the audit log, in the order in which the filter of that page offers it."""

    blueprints: ClassVar[tuple[Blueprint, ...]] = ()
    """Its pages. Their names are the edition's own or begin with it, and so do their commands and template filters."""

    start_page: ClassVar[str | None] = None
    """Endpoint that answers at ``/`` where this edition is licensed; None takes that of the edition it extends.

    It takes no arguments and needs a feature of this edition or of those it extends.
    """

    navigation: ClassVar[tuple[NavItem, ...]] = ()
    """Its items of the global navigation. An item needs the feature of its endpoint where it names none itself."""

    cards: ClassVar[tuple[Card, ...]] = ()
    """Its cards of the dashboard."""

    slots: ClassVar[tuple[SlotContent, ...]] = ()
    """What it adds to pages that are not its own."""

    commands: ClassVar[tuple[click.Command, ...]] = ()
    """Its commands, called as ``flask NAME COMMAND`` with the name of the edition."""

    models: ClassVar[type[DeclarativeBase] | None] = None
    """The declarative base of its tables, whose ``metadata`` comes from ``edition_metadata``; None without tables."""

    migrations: ClassVar[str] = "migrations"
    """Folder of the migrations of its tables, beside the module; ``flask edition revision`` writes them into it."""

    listeners: ClassVar[tuple[Listener[Any], ...]] = ()
    """Functions that are called after something has happened."""
