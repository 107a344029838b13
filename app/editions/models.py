"""What administrators decide about editions, and what has failed in them."""

from datetime import datetime

from sqlalchemy import Boolean, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import UtcDateTime
from app.extensions import Base


class EditionSwitch(Base):
    """The last switching of an edition; one that was never switched has no row and is on.

    ``title`` is kept, because an edition that is off is not imported and cannot say its own.
    """

    __tablename__ = "edition_switches"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    disabled: Mapped[bool] = mapped_column(Boolean)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(64))


class EditionSetting(Base):
    """What an administrator has decided; a setting that nobody has touched has no row, and its default counts.

    Rows of editions that are not loaded are kept: whoever installs the edition again finds its settings.
    """

    __tablename__ = "edition_settings"

    edition: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(64))


class EditionFailure(Base):
    """A part of an edition that has failed, until an administrator dismisses it."""

    __tablename__ = "edition_failures"

    edition: Mapped[str] = mapped_column(String(64), primary_key=True)
    part: Mapped[str] = mapped_column(String(200), primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(String(400))
    """The exception in one line, of the last time."""
    traceback: Mapped[str] = mapped_column(Text)
    """For administrators, of the last time."""
