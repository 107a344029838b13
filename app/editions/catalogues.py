"""The catalogues of texts for translators: extracted from sources, brought up to date, compiled.

It does what ``pybabel extract``, ``update`` and ``compile`` do, without a mapping file that an author has to write and
without the dates and versions that those note down, so that a file changes only when a text does. ``flask edition
messages`` uses it for one edition, and ``make messages`` for the core and every bundled edition.
"""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from gettext import GNUTranslations
from pathlib import Path
from tokenize import TokenError
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po
from jinja2 import TemplateSyntaxError

from app.editions import reasons
from app.editions.discovery import discover, find_entry_points
from app.editions.texts import FOLDER
from app.localisation import DEFAULT_LANGUAGE, LANGUAGES, LOCALE_FOLDER
from app.refusal import Refusal

KEYWORDS: Mapping[str, Any] = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None}
"""What marks a text; ``gettext``, ``ngettext``, ``pgettext``, ``_`` and ``N_`` are among Babel's own."""
TRANSLATED = tuple(sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE}))
"""Every language that has catalogues; the texts in the sources are those of the default language."""
TEMPLATES = "templates"
_TEMPLATE_SUFFIXES = frozenset({".html", ".txt", ".xml"})
_LEFT_OUT = frozenset({"tests", "migrations", "__pycache__"})
"""Folders whose texts nobody sees."""
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_UNSAID_HEADERS = re.compile(
    rb'^"(?:Generated-By: .*|POT-Creation-Date: .*|PO-Revision-Date: YEAR-.*|Last-Translator: FULL NAME .*'
    rb'|Language-Team: .*<LL@li\.org>|Project-Id-Version: PROJECT VERSION|Report-Msgid-Bugs-To: EMAIL@ADDRESS)\\n"\n',
    re.MULTILINE,
)
"""What changes with every run or every update of Babel, and what is only there to be filled in."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Whose texts they are, where they stand, and where their catalogues lie."""

    title: str
    python: tuple[Path, ...]
    """Python files, and folders that are looked through for them."""
    templates: tuple[Path, ...]
    """Folders that are looked through for templates; what lies in or below a folder ``templates`` is one."""
    folder: Path
    """Holds a folder for each language."""
    domain: str
    """Name of the catalogues, without a suffix."""

    def po_file(self, language: str) -> Path:
        """The catalogue of ``language`` for people."""
        return self.folder / language / "LC_MESSAGES" / f"{self.domain}.po"

    def mo_file(self, language: str) -> Path:
        """The same for the application."""
        return self.po_file(language).with_suffix(".mo")


def edition_sources(edition: str, folder: Path, module: str) -> Sources:
    """Where the texts of an edition are: in the package of its module, or in that module alone if it is in no package.

    Args:
        edition: its name.
        folder: of the module that declares it.
        module: what its entry point names.
    """
    alone = folder / f"{module}.py"
    if alone.is_file():  # beside it lie the modules of others
        return Sources(edition, (alone,), (folder / TEMPLATES / edition,), folder / FOLDER, edition)
    return Sources(edition, (folder,), (folder,), folder / FOLDER, edition)


# What there is to translate -----------------------------------------------------------------------------------------


def extract(sources: Sources) -> Catalog:
    """Every text of the sources, as a template without translations.

    Raises:
        Refusal: ``edition_text_unreadable``: a file is neither Python nor a template.
    """
    template = Catalog()
    for file, method in _files(sources):
        try:
            # Jinja's extractor passes over a template that it does not understand, unless it is told not to.
            found = extract_from_file(method, file, keywords=KEYWORDS, options={"silent": "false"})
        except (SyntaxError, ValueError, TokenError, TemplateSyntaxError) as error:
            raise _unreadable(file, error) from error
        for line, message, comments, context in found:
            template.add(message, locations=[(file.name, line)], auto_comments=comments, context=context)
    return template


def _unreadable(file: Path, error: Exception) -> Refusal:
    return Refusal(reasons.TEXT_UNREADABLE, file=str(file), error=f"{type(error).__name__}: {error}")


def _files(sources: Sources) -> Iterator[tuple[Path, str]]:
    """The files to look through, each with Babel's name for how; in an order that is the same everywhere."""
    for place in sources.python:
        yield from ((file, "python") for file in _below(place) if file.suffix == ".py")
    for place in sources.templates:
        for file in _below(place):
            if file.suffix in _TEMPLATE_SUFFIXES and TEMPLATES in file.relative_to(place.parent.parent).parts[:-1]:
                yield file, "jinja2"


def _below(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    packages = {found.parent for found in place.rglob("pyproject.toml") if found.parent != place}
    for file in sorted(place.rglob("*")):
        folders = file.relative_to(place).parts[:-1]
        is_left_out = any(name in _LEFT_OUT or name.startswith(".") for name in folders)
        # A package in a folder of its own, such as a program for other computers, has texts of its own.
        if file.is_file() and not is_left_out and packages.isdisjoint(file.parents):
            yield file


# What is translated -------------------------------------------------------------------------------------------------


def new_catalogue(title: str, language: str) -> Catalog:
    """An empty catalogue of ``language`` for the texts of ``title``."""
    comment = f"# {title}: {LANGUAGES[language]}"
    return Catalog(locale=language, header_comment=comment, charset="utf-8", fuzzy=False)


def committed(sources: Sources, language: str) -> Catalog:
    """The catalogue of ``language`` as it is, or an empty one.

    Raises:
        Refusal: ``edition_text_unreadable``.
    """
    file = sources.po_file(language)
    if not file.is_file():
        return new_catalogue(sources.title, language)
    try:
        return read_po(io.BytesIO(file.read_bytes()), locale=language, abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise _unreadable(file, error) from error


def up_to_date(sources: Sources, language: str, *, lent_from: Catalog | None = None) -> Catalog:
    """The catalogue of ``language`` with the texts that have come and without those that have gone.

    Args:
        sources: whose texts.
        language: one of ``TRANSLATED``.
        lent_from: another catalogue, from which the translations of texts are taken over that have none yet.

    Raises:
        Refusal: ``edition_text_unreadable``.
    """
    catalogue = committed(sources, language)
    catalogue.update(extract(sources), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    if lent_from is not None:
        for message in catalogue:
            _take_over(message, lent_from)
    return catalogue


def _take_over(message: Message, lent_from: Catalog) -> None:
    if not message.id or any(translations_of(message)):
        return
    lent = lent_from.get(texts_of(message)[0], message.context)
    if lent is not None and lent.id == message.id and not lent.fuzzy:
        message.string = lent.string


def core_catalogue(language: str) -> Catalog:
    """The core's own catalogue, from which editions take over what it has translated already."""
    return committed(Sources("TimeTracker RX", (), (), LOCALE_FOLDER, "messages"), language)


def texts_of(message: Message) -> tuple[str, ...]:
    """The text of a message, or its singular and plural."""
    return tuple(message.id) if isinstance(message.id, (tuple, list)) else (message.id,)


def translations_of(message: Message) -> tuple[str, ...]:
    """Its translation, one for each plural form of the language; empty texts where it has none."""
    return tuple(message.string) if isinstance(message.string, (tuple, list)) else (message.string or "",)


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts without a translation, and those whose translation is marked as a guess."""
    return [texts_of(message)[0] for message in catalogue if message.id and not _is_translated(message)]


def _is_translated(message: Message) -> bool:
    return not message.fuzzy and all(translations_of(message))


# Files --------------------------------------------------------------------------------------------------------------


def as_po(catalogue: Catalog) -> bytes:
    """A catalogue as text, sorted, without the places where its texts stand: those change with every edit."""
    written = io.BytesIO()
    write_po(written, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    return _UNSAID_HEADERS.sub(b"", written.getvalue())


def as_mo(catalogue: Catalog) -> bytes:
    """A catalogue as the application loads it.

    Babel would write a plural that has no translation with its English text, which would hide the core's translation.
    """
    translated = Catalog(charset="utf-8")
    translated.mime_headers = catalogue.mime_headers
    translated.creation_date = _NO_DATE
    for message in catalogue:
        if message.id and _is_translated(message):
            translated.add(message.id, message.string, context=message.context)
    written = io.BytesIO()
    write_mo(written, translated)
    return written.getvalue()


def entries(compiled: bytes) -> Mapping[object, str]:
    """What a compiled catalogue holds, apart from its header, which names dates and the version of Babel."""
    texts: Mapping[object, str] = GNUTranslations(io.BytesIO(compiled))._catalog  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to all of them
    return {key: text for key, text in texts.items() if key}


@dataclass(frozen=True, slots=True)
class Update:
    """What bringing one catalogue up to date comes to."""

    language: str
    file: Path
    """The catalogue for people."""
    texts: int
    """How many texts there are."""
    untranslated: tuple[str, ...]
    changes: Mapping[Path, bytes]
    """Files that are not as they should be, with what should be in them."""

    def write(self) -> None:
        """Write the files that are not as they should be.

        Raises:
            OSError: one cannot be written.
        """
        for file, content in self.changes.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def prepare_update(sources: Sources, language: str, *, lent_from: Catalog | None = None) -> Update:
    """Find out how the catalogue of ``language`` should be; nothing is written. The arguments are ``up_to_date``'s.

    Raises:
        Refusal: ``edition_text_unreadable``.
    """
    catalogue = up_to_date(sources, language, lent_from=lent_from)
    text, compiled = as_po(catalogue), as_mo(catalogue)
    changes: dict[Path, bytes] = {}
    if len(catalogue) or sources.po_file(language).is_file():
        if _content(sources.po_file(language)) != text:
            changes[sources.po_file(language)] = text
        if _entries_of(sources.mo_file(language)) != entries(compiled):
            changes[sources.mo_file(language)] = compiled
    missing = tuple(untranslated(catalogue))
    return Update(language, sources.po_file(language), len(catalogue), missing, changes)


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def _entries_of(file: Path) -> Mapping[object, str] | None:
    """The entries of a compiled catalogue; None where it is missing or broken."""
    content = _content(file)
    try:
        return entries(content) if content is not None else None
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is written anew
        return None


def update_edition(name: str, *, write: bool) -> tuple[Update, ...]:
    """Bring the catalogues of an installed edition up to date, one for each language.

    The edition alone is imported: neither others nor a database can stand in the way.

    Args:
        name: of the edition, which may be switched off or refused as long as it can be imported.
        write: whether files are written.

    Raises:
        Refusal: ``edition_not_installed``, ``edition_text_unreadable``, ``edition_catalogue_unwritable``, or why the
            edition cannot be imported.
    """
    sources = _installed_sources(name)
    updates = tuple(prepare_update(sources, language, lent_from=core_catalogue(language)) for language in TRANSLATED)
    if write:
        for update in updates:
            try:
                update.write()
            except OSError as error:
                what = error.strerror or str(error)
                raise Refusal(reasons.CATALOGUE_UNWRITABLE, file=str(update.file), error=what) from error
    return updates


def python_files(name: str) -> tuple[Path, ...]:
    """The Python files of an installed edition, without its tests and migrations.

    Raises:
        Refusal: ``edition_not_installed``, or why the edition cannot be imported.
    """
    return tuple(file for file, method in _files(_installed_sources(name)) if method == "python")


def _installed_sources(name: str) -> Sources:
    entry = next((entry for entry in find_entry_points() if entry.name == name), None)
    if entry is None:
        raise Refusal(reasons.NOT_INSTALLED, name=name)
    (found,) = discover((entry,), {})
    if found.manifest is None:
        raise found.refusal or Refusal(reasons.NOT_INSTALLED, name=name)
    return edition_sources(name, found.manifest.folder, entry.module)
