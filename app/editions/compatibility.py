"""Which editions this application can work with.

``API_VERSION`` numbers what ``app.sdk`` offers. It rises when something that editions rely on changes; additions do not
raise it. An edition says for which version it was written, and stays loaded while that version is still offered.
"""

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from app.editions import reasons
from app.refusal import Refusal
from app.version import __version__

API_VERSION = 1
"""The version of ``app.sdk`` that this application offers."""
OLDEST_API_VERSION = 1
"""The oldest version whose editions still work unchanged."""


def check_api_version(wanted: int) -> None:
    """Refuse an edition that was written for a version of ``app.sdk`` which is not offered.

    Raises:
        Refusal: ``edition_needs_newer_application`` or ``edition_too_old``.
    """
    if wanted > API_VERSION:
        raise Refusal(reasons.NEEDS_NEWER_APPLICATION, wanted=wanted, offered=API_VERSION)
    if wanted < OLDEST_API_VERSION:
        raise Refusal(reasons.TOO_OLD, wanted=wanted, oldest=OLDEST_API_VERSION)


def check_application(wanted: str) -> None:
    """Refuse an edition that does not work with this version of the application.

    Args:
        wanted: version specifiers (PEP 440), such as ``>=1.2,<2``; empty takes every version.

    Raises:
        Refusal: ``edition_needs_other_application``, or ``edition_malformed`` where ``wanted`` is none.
    """
    try:
        specifiers = SpecifierSet(wanted)
    except InvalidSpecifier:
        problem = f"requires_app is {wanted!r:.80} and not a version specifier such as >=1.2"
        raise Refusal(reasons.MALFORMED, problem=problem) from None
    if not specifiers.contains(__version__, prereleases=True):
        raise Refusal(reasons.NEEDS_OTHER_APPLICATION, wanted=str(specifiers), version=__version__)
