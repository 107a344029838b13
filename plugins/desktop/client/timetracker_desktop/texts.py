"""What people read, in their language: gettext catalogues that the wheel brings along.

Files that decide mark their texts with ``N_``; what shows them asks ``_`` for the translation. The language is one for
the whole program, and takes effect at the next text that is asked for.
"""

import gettext
import locale
from importlib.resources import as_file, files

DOMAIN = "timetracker_desktop"
LANGUAGES = {"en": "English", "ja": "日本語"}
"""Each in its own words; the texts in the sources are English."""

_translations: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def N_(text: str) -> str:  # noqa: N802  # gettext's name for what is only marked
    """Mark a text for translation."""
    return text


def use_language(language: str | None) -> str:
    """Show texts in ``language`` from now on, or in the system's where it is None or unknown; returns which it is."""
    global _translations, _language  # noqa: PLW0603  # one language a process, as gettext itself has it
    _language = language if language in LANGUAGES else system_language()
    with as_file(files("timetracker_desktop") / "locale") as folder:
        _translations = gettext.translation(DOMAIN, folder, [_language], fallback=True)
    return _language


def language() -> str:
    """The language that texts are shown in."""
    return _language


def system_language() -> str:
    """The language of this computer's settings, else English."""
    name = locale.getlocale()[0] or ""
    return "ja" if name.lower().startswith(("ja", "japanese")) else "en"


def _(text: str, **values: object) -> str:
    """The translation, with ``%(name)s`` filled in where values are given."""
    shown = _translations.gettext(text)
    return shown % values if values else shown


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The same of a number, which is ``%(number)s``."""
    return _translations.ngettext(one, many, number) % {"number": number, **values}
