"""The folded form of names that equality, order and search go by."""

import unicodedata


def fold(text: str) -> str:
    """Return ``text`` in NFKC, case-folded, with single spaces: ``Ｋ.Mori`` and ``k.mori`` are one login."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split())


def search_text(login_key: str, name_key: str, email_key: str | None) -> str:
    """Join the folded forms, one a line, so that no match runs across two of them."""
    return "\n".join((login_key, name_key, email_key or ""))
