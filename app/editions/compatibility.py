"""Which editions this application can work with.

``API_VERSION`` numbers what ``app.sdk`` offers. It rises when something that editions rely on changes; additions do not
raise it. An edition says for which version it was written, and stays loaded while that version is still offered.
"""

from app.editions import reasons
from app.refusal import Refusal

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
