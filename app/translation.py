"""Marks texts of pure modules for extraction; they are translated where they are shown."""


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for a text that is marked but not yet translated
    """Return ``message`` unchanged, so that ``pybabel extract`` finds it."""
    return message
