"""Registered license keys."""

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import RowId, UtcDateTime
from app.extensions import Base


class RegisteredLicense(Base):
    """A license key as it was registered. What it grants is read from ``key_text`` alone, at every load.

    ``number`` and ``fingerprint`` serve uniqueness, and name the row on the screen when its text no longer verifies.
    """

    __tablename__ = "licenses"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    number: Mapped[str] = mapped_column(String(36), unique=True)
    fingerprint: Mapped[str] = mapped_column(String(12))
    key_text: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    registered_by: Mapped[str] = mapped_column(String(64))


class SeatCount(Base):
    """The number of registered users, kept by triggers (``app.database``); the one row has the id 1."""

    __tablename__ = "seat_count"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    registered_users: Mapped[int] = mapped_column(RowId)
