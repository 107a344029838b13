"""The migrations of all loaded editions, one after the other: one that fails leaves the others alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.database import read_connection
from app.editions import migrations, reasons, registry
from app.editions.manifest import Manifest
from app.editions.service import find_edition
from app.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What ``flask db upgrade`` did for one edition."""

    edition: str
    revisions: tuple[str, ...]
    """The migrations that were run, oldest first."""
    refusal: Refusal | None = None
    """Why there are none; None where nothing went wrong."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What ``flask db check`` found of one edition."""

    edition: str
    pending: tuple[str, ...]
    differences: tuple[str, ...]
    """Where the tables of the database are not what the models say, one line each; not looked for while some pend."""
    refusal: Refusal | None = None


def with_tables() -> tuple[Manifest, ...]:
    """The loaded editions that have models, those that are extended before those that extend them."""
    return tuple(manifest for manifest in registry.registry().manifests.values() if manifest.metadata is not None)


def upgrade_editions() -> Iterator[Upgraded]:
    """Migrate each edition in a transaction of its own; says of each what has become of it as soon as it is done."""
    for manifest in with_tables():
        try:
            yield Upgraded(manifest.name, migrations.upgrade(manifest))
        except Refusal as refusal:
            yield Upgraded(manifest.name, (), refusal)


def check_editions() -> Iterator[Checked]:
    """Compare the tables of each edition with its models, where all its migrations are done."""
    for manifest in with_tables():
        try:
            with read_connection() as connection:
                waiting = migrations.pending(connection, manifest)
                differences = () if waiting else migrations.differences(connection, manifest)
                yield Checked(manifest.name, waiting, differences)
        except Refusal as refusal:
            yield Checked(manifest.name, (), (), refusal)


def find_manifest(name: str) -> Manifest:
    """The manifest of the loaded edition ``name``; whatever state the others are in.

    Raises:
        Refusal: ``edition_not_installed`` or ``edition_migrations_not_loaded``.
    """
    found = find_edition(name)
    manifest = registry.registry().manifests.get(name)
    if manifest is None:
        raise Refusal(reasons.MIGRATIONS_NOT_LOADED, name=found.name)
    return manifest
