"""Which catalogue a text of an edition is looked up in: that of the edition first, then the core's.

Each edition has catalogues of its own, ``translations/<language>/LC_MESSAGES/<edition>.mo`` beside its module. What
is looked up there is decided by where a text stands, so that no edition can change a text of the core or of another:

- a template in ``templates/<edition>/`` speaks for that edition wherever it is shown; a template of the core that it
  extends, includes or imports speaks for the core. This is decided once, when the template is compiled;
- Python code that takes ``gettext`` from ``app.sdk`` speaks for the edition that is being answered: the one whose
  page was asked for, or the one whose card, slot content, listener or command is being called (``speaking_as``);
- the core takes ``gettext`` from Flask-Babel, which knows the core's catalogue alone;
- texts of a manifest are looked up with the name of its edition (``registry.text_of``).

Catalogues are read at the start and never again. One that cannot be read costs its translations, and nothing else.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel.support import NullTranslations, Translations
from flask import Flask, current_app, has_request_context, request
from flask_babel import format_decimal, get_locale
from flask_babel.speaklater import LazyString
from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame

from app.localisation import DEFAULT_LANGUAGE, LANGUAGES, core_texts

FOLDER = "translations"
"""Where the catalogues of an edition lie, beside its module."""
_EXTENSION = "edition_texts"
_SPEAKER: ContextVar[str] = ContextVar("timetracker_speaking_edition")
_CALLABLES = ("gettext", "ngettext", "pgettext", "npgettext")
_NAMES = {"_": "gettext", **{name: name for name in _CALLABLES}}
"""What translates a text in a template, with the function that it is."""
_OF_SPEAKER = "_of_WHOEVER"
"""Stands in the place of ``_of_acme`` for a template that lies in no file; no edition has capitals in its name."""
_PLACEHOLDER = re.compile(r"%\((\w+)\)")
_NO_TEXTS = NullTranslations()


def catalogue_file(folder: Path, edition: str, language: str) -> Path:
    """The compiled catalogue of an edition for one language.

    Args:
        folder: of the module that declares the edition.
        edition: its name.
        language: a key of ``LANGUAGES``.
    """
    return folder / FOLDER / language / "LC_MESSAGES" / f"{edition}.mo"


# Read at the start --------------------------------------------------------------------------------------------------


class _AnyValue(dict[str, str]):
    """Has a value for every name: which names the plural of a text has is not in a compiled catalogue."""

    def __missing__(self, key: str) -> str:
        return key


class EditionTranslations(Translations):
    """One compiled catalogue, without the translations that would break a page as soon as they are filled in."""

    def __init__(self, file: io.BytesIO, domain: str) -> None:
        self.unfit: list[str] = []
        """Texts whose translation was left out: it has a placeholder that the text does not have."""
        super().__init__(file, domain)

    def _parse(self, fp: Any) -> None:
        super()._parse(fp)
        for key, translation in list(self._catalog.items()):
            text = key if isinstance(key, str) else key[0]
            if "%" in translation and not _fits(text, translation, is_plural=not isinstance(key, str)):
                self.unfit.append(text)
                del self._catalog[key]


def _fits(text: str, translation: str, *, is_plural: bool) -> bool:
    """Whether ``translation`` can be filled in with whatever ``text`` can be filled in with."""
    names = _PLACEHOLDER.findall(text)
    for values in (dict.fromkeys(names, "x"), dict.fromkeys(names, 1)):
        filled = _AnyValue(values) if is_plural else values
        try:
            _ = text % filled
        except (ValueError, TypeError, KeyError):
            continue  # a percent sign that stands for itself, or a number where this is a word
        try:
            _ = translation % filled
        except (ValueError, TypeError, KeyError):
            return False
        return True
    return True


@dataclass(frozen=True, slots=True)
class ReadTexts:
    """The catalogues of one edition."""

    edition: str
    blueprints: tuple[str, ...]
    by_language: Mapping[str, NullTranslations] = field(repr=False)
    warnings: tuple[str, ...]
    """What its author should mend, in English."""


def read_texts(edition: str, folder: Path, blueprints: Iterable[str]) -> ReadTexts:
    """Read the catalogues of an edition; whatever is wrong with one becomes a warning.

    Args:
        edition: its name.
        folder: of the module that declares it.
        blueprints: names of its blueprints.
    """
    by_language: dict[str, NullTranslations] = {}
    warnings: list[str] = []
    for language in sorted(LANGUAGES.keys() - {DEFAULT_LANGUAGE}):
        file = catalogue_file(folder, edition, language)
        shown = file.relative_to(folder)
        try:
            texts = EditionTranslations(io.BytesIO(file.read_bytes()), edition)
        except FileNotFoundError:
            if file.parent.is_dir():
                warnings.append(f"{shown} is missing: run flask edition messages {edition}")
            continue
        except Exception as error:  # noqa: BLE001 - the file may hold anything, and no page is to break at it
            warnings.append(f"{shown} cannot be read ({type(error).__name__}), so its texts are shown in English")
            continue
        if texts.unfit:
            warnings.append(f"{shown} has other placeholders than the text {texts.unfit[0]!r:.80}")
        texts.add_fallback(core_texts(language))
        by_language[language] = texts
    return ReadTexts(edition, tuple(blueprints), MappingProxyType(by_language), tuple(warnings))


@dataclass(frozen=True, slots=True)
class _Texts:
    """The catalogues of all loaded editions."""

    owners: Mapping[str, str]
    """The edition of each blueprint, by its name."""
    catalogues: Mapping[tuple[str, str], NullTranslations] = field(repr=False)
    """By edition and language."""


_NOBODYS = _Texts(MappingProxyType({}), MappingProxyType({}))


def install_texts(app: Flask, editions: Iterable[ReadTexts]) -> None:
    """Put the catalogues of the loaded editions to use; before any template is compiled."""
    read = tuple(editions)
    app.extensions[_EXTENSION] = _Texts(
        owners=MappingProxyType({name: texts.edition for texts in read for name in texts.blueprints}),
        catalogues=MappingProxyType(
            {(texts.edition, language): found for texts in read for language, found in texts.by_language.items()}
        ),
    )
    names = frozenset(texts.edition for texts in read)
    for name in names:
        _add_callables(app.jinja_env, f"_of_{name}", partial(_texts_of, name))
    _add_callables(app.jinja_env, _OF_SPEAKER, _speakers_texts)
    app.jinja_env.code_generator_class = _code_generator(Path(str(app.template_folder)), names)


# Templates ----------------------------------------------------------------------------------------------------------


def _add_callables(environment: Environment, suffix: str, texts: Any) -> None:
    """Give the environment ``gettext`` and the others for one edition, made as Jinja makes its own."""
    scratch = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    scratch.install_gettext_callables(  # type: ignore[attr-defined]  # which the extension adds
        gettext=lambda message: texts().gettext(message),
        ngettext=lambda singular, plural, number: texts().ngettext(singular, plural, number),
        pgettext=lambda context, message: texts().pgettext(context, message),
        npgettext=lambda context, singular, plural, number: texts().npgettext(context, singular, plural, number),
        newstyle=True,
    )
    for name in _CALLABLES:
        setattr(environment, f"{name}{suffix}", scratch.globals[name])


def _code_generator(core: Path, editions: frozenset[str]) -> type[CodeGenerator]:
    """Compiles templates such that ``_`` and ``{% trans %}`` of a file speak for whom the file belongs to.

    Args:
        core: folder of the core's templates.
        editions: names of the loaded editions; their templates lie in folders of these names.
    """

    class TextsOfOwner(CodeGenerator):
        """Looks texts up where the file belongs; what shows it or what it extends makes no difference."""

        def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - Jinja's name
            """Compile one template."""
            if self.filename is None or not Path(self.filename).is_relative_to(core):
                owner = (self.name or "").partition("/")[0]
                suffix = f"_of_{owner}" if owner in editions else _OF_SPEAKER
                for call in node.find_all(nodes.Call):
                    if isinstance(call.node, nodes.Name) and call.node.name in _NAMES:
                        call.node = nodes.EnvironmentAttribute(
                            f"{_NAMES[call.node.name]}{suffix}", lineno=call.lineno, environment=self.environment
                        )
            super().visit_Template(node, frame)

    return TextsOfOwner


# Asked at each request ----------------------------------------------------------------------------------------------


@contextmanager
def speaking_as(edition: str) -> Iterator[None]:
    """Let ``gettext`` of ``app.sdk`` speak for ``edition``, whose code is called in a page that is not its own."""
    token = _SPEAKER.set(edition)
    try:
        yield
    finally:
        _SPEAKER.reset(token)


def speaking_edition() -> str | None:
    """Name of the edition whose code runs: as ``speaking_as`` says, else by the page that was asked for."""
    said = _SPEAKER.get("")
    if said:
        return said
    blueprint = request.blueprint if has_request_context() else None
    return owner_of(blueprint) if blueprint else None


def owner_of(blueprint: str) -> str | None:
    """Name of the edition that a blueprint, or one that is nested in it, belongs to; None for the core's."""
    texts: _Texts = current_app.extensions.get(_EXTENSION, _NOBODYS)
    return texts.owners.get(blueprint) or texts.owners.get(blueprint.partition(".")[0])


def _texts_of(edition: str | None) -> NullTranslations:
    """The catalogue of an edition in the reader's language, with the core's behind it; outside an application none."""
    locale = get_locale()
    if locale is None:
        return _NO_TEXTS
    texts: _Texts = current_app.extensions.get(_EXTENSION, _NOBODYS)
    found = texts.catalogues.get((edition, locale.language)) if edition else None
    return core_texts(locale.language) if found is None else found


def _speakers_texts() -> NullTranslations:
    return _texts_of(speaking_edition()) if current_app else _NO_TEXTS


def text_of_edition(edition: str, message: str) -> str:
    """A text that ``edition`` has marked with ``N_``, in the reader's language; an empty one stays empty."""
    return str(_texts_of(edition).gettext(message)) if message else ""


def gettext(message: str, **values: object) -> str:
    """Translate a text of an edition into the reader's language.

    Args:
        message: the text in English; a literal, so that it is found for the catalogue.
        values: for its placeholders, which are written ``%(name)s``.
    """
    text = str(_speakers_texts().gettext(message))
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, **values: object) -> str:
    """Translate a text that depends on a number; ``%(num)s`` is filled in with it, as the reader's language writes it.

    Args:
        singular: the text in English for one.
        plural: the text in English for every other number.
        number: how many there are.
        values: for the other placeholders.
    """
    text = str(_speakers_texts().ngettext(singular, plural, number))
    return text % {"num": format_decimal(number), **values}


def pgettext(context: str, message: str, **values: object) -> str:
    """Translate a text that means different things in different places.

    Args:
        context: says which of them is meant, such as ``menu``; a literal like the text.
        message: the text in English.
        values: for its placeholders.
    """
    text = str(_speakers_texts().pgettext(context, message))
    return text % values if values else text


def lazy_gettext(message: str, **values: object) -> LazyString:
    """Translate where it is shown: for labels of forms and whatever else is made before there is a reader."""
    return LazyString(gettext, message, **values)
