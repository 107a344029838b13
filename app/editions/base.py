"""What an edition says about itself. Authors import these names from ``app.sdk``."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from flask import Blueprint

from app.navigation import NavItem
from app.security import Audience, access, declare

_View = TypeVar("_View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Feature:
    """A named capability that pages ask for; whether it is licensed is decided at each request."""

    name: str
    """Two slugs joined by a dot, such as ``timesheet.start``; license keys may name it, so it never changes."""
    title: str
    """What people call it; a text marked with ``N_``."""
    description: str = ""
    """One sentence on what it is good for; a text marked with ``N_``."""


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
        url_prefix: str | None = None,
    ) -> None:
        """Make the blueprint.

        Args:
            name: the name of the edition, or that name, an underscore and more; the first part of the endpoints.
            import_name: ``__name__`` of the module; ``templates/`` and ``static/`` are looked for beside it.
            feature: name of the feature that its pages need.
            url_prefix: where its addresses begin; None takes ``/`` and the name.
        """
        super().__init__(
            name,
            import_name,
            template_folder="templates",
            url_prefix=f"/{name}" if url_prefix is None else url_prefix,
        )
        if (Path(self.root_path) / "static").is_dir():
            self.static_folder = "static"
        if feature is not None:
            declare(self, Audience.MEMBER, feature=feature)


def requires_feature(name: str) -> Callable[[_View], _View]:
    """Decorate a view that needs the feature ``name``; stands below the route decorator.

    Whoever asks for it without the feature gets 402 and a page that explains.
    """
    return access(Audience.MEMBER, feature=name)


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

    extends: ClassVar[str | None] = None
    """Name of an edition that is part of this one: a license for this one brings the features of both."""

    included_in: ClassVar[tuple[str, ...]] = ()
    """Makes it a module: names of the editions whose licenses bring its features. No license names a module itself."""

    features: ClassVar[tuple[Feature, ...]] = ()
    """What it brings, in the order in which it is shown."""

    blueprints: ClassVar[tuple[Blueprint, ...]] = ()
    """Its pages. Their names are the edition's own or begin with it, and so do their commands and template filters."""

    start_page: ClassVar[str | None] = None
    """Endpoint that answers at ``/`` where this edition is licensed; None takes that of the edition it extends.

    It takes no arguments and needs a feature of this edition or of those it extends.
    """

    navigation: ClassVar[tuple[NavItem, ...]] = ()
    """Its items of the global navigation. An item needs the feature of its endpoint where it names none itself."""
