"""The texts of the client for translators; run it to bring the catalogues up to date and compile them."""

import io
import re
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parents[1] / "timetracker_desktop"
DOMAIN = "timetracker_desktop"
TRANSLATED = ("ja",)
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
_DATES = re.compile(
    rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team): .*\n', re.MULTILINE
)


def extracted() -> Catalog:
    """Every text of the sources."""
    template = Catalog()
    for name, _line, message, _comments, _context in extract_from_dir(
        PACKAGE, [("**.py", "python")], keywords=KEYWORDS
    ):
        template.add(message, locations=[(name, 0)])
    return template


def po_file(language: str) -> Path:
    return PACKAGE / "locale" / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def committed(language: str) -> Catalog:
    path = po_file(language)
    if not path.exists():
        return Catalog(locale=language, project="timetracker-desktop", fuzzy=False)
    with path.open("rb") as opened:
        return read_po(opened, locale=language)


def updated(language: str) -> Catalog:
    catalogue = committed(language)
    catalogue.creation_date = catalogue.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def as_po(catalogue: Catalog) -> bytes:
    stream = io.BytesIO()
    write_po(stream, catalogue, width=120, sort_output=True, no_location=True)
    return _DATES.sub(b"", stream.getvalue())


def as_mo(catalogue: Catalog) -> bytes:
    stream = io.BytesIO()
    # Babel writes the present where there is no date.
    catalogue.creation_date = catalogue.revision_date = datetime(2000, 1, 1, tzinfo=UTC)
    write_mo(stream, catalogue)
    return stream.getvalue()


def untranslated(catalogue: Catalog) -> list[object]:
    return [message.id for message in catalogue if message.id and not all(texts(message.string))]


def texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value or ""),)


def main() -> int:
    waiting = 0
    for language in TRANSLATED:
        catalogue = updated(language)
        path = po_file(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_po(catalogue))
        path.with_suffix(".mo").write_bytes(as_mo(committed(language)))
        for message in untranslated(catalogue):
            waiting += 1
            sys.stdout.write(f"{language}: {message!r}\n")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
