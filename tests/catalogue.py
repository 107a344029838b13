"""The catalogues of the core and of the bundled editions; ``make messages`` runs this file.

tests/unit/test_catalogue.py compares what is committed with what it would write.
"""

import sys
from functools import cache

from babel.messages.catalog import Catalog

from app.editions.catalogues import (
    TEMPLATES,
    TRANSLATED,
    Sources,
    core_catalogue,
    edition_sources,
    extract,
    prepare_update,
)
from app.localisation import LOCALE_FOLDER
from tests.checkout import CHECKOUT

CORE = Sources("TimeTracker RX", (CHECKOUT / "app",), (CHECKOUT / TEMPLATES,), LOCALE_FOLDER, "messages")
EDITIONS = tuple(
    edition_sources(package.parent.name, package.parent, f"plugins.{package.parent.name}")
    for package in sorted((CHECKOUT / "plugins").glob("*/__init__.py"))
)
"""The bundled editions, each of which has its own catalogues."""
ALL = (CORE, *EDITIONS)


@cache
def extracted(sources: Sources) -> Catalog:
    """Every text of the sources, as a template without translations."""
    return extract(sources)


def lender(sources: Sources, language: str) -> Catalog | None:
    """Where ``sources`` take translations over from; the core takes none."""
    return None if sources is CORE else core_catalogue(language)


def main() -> int:
    """Bring every catalogue up to date and compile it; list the texts that wait for a translator."""
    waiting = 0
    for sources in ALL:
        for language in TRANSLATED:
            update = prepare_update(sources, language, lent_from=lender(sources, language))
            update.write()
            missing = update.untranslated
            waiting += len(missing)
            sys.stdout.write(f"{sources.title}, {language}: {update.texts} texts, {len(missing)} untranslated\n")
            sys.stdout.writelines(f"  {text!r}\n" for text in missing)
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
