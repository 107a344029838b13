"""Language and time zone of the reader, and the languages there are."""

import os
from functools import cache
from pathlib import Path

from babel.support import NullTranslations, Translations
from flask import Flask, Request, g, has_request_context, request, session
from flask_babel import Domain, get_locale
from wtforms.i18n import messages_path

from app.extensions import babel

LANGUAGES = {"en": "English", "ja": "日本語"}
"""Every language with its own name."""
DEFAULT_LANGUAGE = "en"
LOCALE_FOLDER = Path(__file__).parent / "locale"
"""Where the catalogues of the core lie; each edition has its own."""


# Dates and numbers of English texts are those of most of the world: 31 March 2027.
_LOCALES = {"en": "en_GB"}


def select_locale() -> str:
    """The locale that Flask-Babel translates into and formats dates and numbers by."""
    language = select_language()
    return _LOCALES.get(language, language)


def select_language() -> str:
    """The person's setting, else what was chosen on the log-in page, else what the browser asks for, else English."""
    if not has_request_context():
        return _terminal_language()
    identity = g.get("identity")
    chosen = (identity.language if identity is not None else None) or session.get("language")
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES) or _installation_language()


def _terminal_language() -> str:
    """The language of a command's terminal, as its environment names it (POSIX.1-2024, 8.2)."""
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    language = named.replace("-", "_").partition("_")[0]
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


def _installation_language() -> str:
    state = g.get("installation_state")
    return state.language if state is not None and state.language in LANGUAGES else DEFAULT_LANGUAGE


def select_time_zone() -> str:
    """The person's zone, else the installation's."""
    identity = g.get("identity")
    if identity is not None and identity.time_zone:
        return str(identity.time_zone)
    state = g.get("installation_state")
    return state.time_zone.key if state is not None else "UTC"


def html_language() -> str:
    """The value of ``<html lang>``."""
    locale = get_locale()
    return locale.language if locale is not None else DEFAULT_LANGUAGE


@cache
def core_texts(language: str) -> NullTranslations:
    """The texts of the core in ``language``; those of the sources where there is no catalogue for it."""
    return Translations.load(LOCALE_FOLDER, [language])


class CoreDomain(Domain):
    """What ``gettext`` of Flask-Babel looks texts up in: the core's catalogue alone, whichever page is answered."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of the reader's language; outside an application there is no reader."""
        locale = get_locale()
        return core_texts(locale.language) if locale is not None else NullTranslations()


@cache
def _texts_of_wtforms(language: str) -> NullTranslations:
    return Translations.load(messages_path(), [language], domain="wtforms")


class LocalisedRequest(Request):
    """Knows the texts of WTForms itself: else Flask-WTF would read them from the disk for every page with a form."""

    @property
    def wtforms_translations(self) -> NullTranslations:
        """Where Flask-WTF looks first."""
        return _texts_of_wtforms(html_language())


def configure_localisation(app: Flask) -> None:
    """Bind Flask-Babel to the selectors and to the core's catalogues."""
    app.request_class = LocalisedRequest
    babel.domain_instance = CoreDomain()
    babel.init_app(app, locale_selector=select_locale, timezone_selector=select_time_zone)
