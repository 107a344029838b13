"""The catalogues of texts: extracted from the sources, brought up to date, compiled.

``make messages`` runs this file; tests/unit/test_catalogue.py compares what is committed with what it would write.
It does what ``pybabel extract``, ``update`` and ``compile`` do, without the dates that those write, so that the files
change only when a text does.
"""

import io
import re
import sys
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from app.localisation import DEFAULT_LANGUAGE, LANGUAGES
from tests.checkout import CHECKOUT

LOCALE = CHECKOUT / "app" / "locale"
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "N_": None}
"""What marks a text; ``gettext``, ``ngettext``, ``pgettext``, ``_`` and ``N_`` are among Babel's own."""
TRANSLATED = tuple(sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE}))
"""Every language that has a catalogue; the texts in the sources are those of the default language."""


def po_file(language: str) -> Path:
    """The catalogue of ``language`` for people, below ``app/locale``."""
    return LOCALE / language / "LC_MESSAGES" / "messages.po"


def mo_file(language: str) -> Path:
    """The same for the application."""
    return po_file(language).with_suffix(".mo")


@cache
def extracted() -> Catalog:
    """Every text of the sources, as a template without translations."""
    with (LOCALE / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    template = Catalog(project="TimeTracker RX", charset="utf-8")
    found = extract_from_dir(
        CHECKOUT, methods, options, keywords=KEYWORDS, directory_filter=lambda path: not Path(path).name.startswith(".")
    )
    for file_name, line, message, comments, context in found:
        template.add(message, locations=[(file_name, line)], auto_comments=comments, context=context)
    return template


def committed(language: str) -> Catalog:
    """The catalogue of ``language`` as it is."""
    with po_file(language).open("rb") as file:
        return read_po(file, locale=language)


def up_to_date(language: str) -> Catalog:
    """The catalogue of ``language`` with the texts that have come and without those that have gone."""
    catalogue = committed(language)
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    """A catalogue as text, sorted, without the places where its texts stand: those change with every edit."""
    written = io.BytesIO()
    write_po(written, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    # Babel names its own version, which would change the file with every update of Babel.
    return re.sub(rb'^"Generated-By: .*\n', b"", written.getvalue(), flags=re.MULTILINE)


def as_mo(catalogue: Catalog) -> bytes:
    """A catalogue as the application loads it."""
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def texts_of(message: Message) -> tuple[str, ...]:
    """The text of a message, or its singular and plural."""
    return message.id if isinstance(message.id, tuple) else (message.id,)


def translations_of(message: Message) -> tuple[str, ...]:
    """Its translation, one for each plural form of the language; empty texts where it has none."""
    return message.string if isinstance(message.string, tuple) else (message.string,)


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts without a translation."""
    return [texts_of(message)[0] for message in catalogue if message.id and not all(translations_of(message))]


def main() -> int:
    """Bring every catalogue up to date and compile it; list the texts that wait for a translator."""
    waiting = 0
    for language in TRANSLATED:
        catalogue = up_to_date(language)
        po_file(language).write_bytes(as_po(catalogue))
        mo_file(language).write_bytes(as_mo(catalogue))
        missing = untranslated(catalogue)
        waiting += len(missing)
        sys.stdout.write(f"{language}: {len(catalogue)} texts, {len(missing)} without translation\n")
        sys.stdout.writelines(f"  {text!r}\n" for text in missing)
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
