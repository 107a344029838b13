"""Tables of the module Desktop: devices that wait to be paired, and what devices have told already."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, LargeBinary, String, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.sdk import RowId, UtcDateTime, edition_metadata, user_reference


class Model(DeclarativeBase):
    """Base of the tables of this module."""

    metadata = edition_metadata("desktop")


class Pairing(Model):
    """A device that has asked to be paired, until its token has been fetched or the time is up (RFC 8628)."""

    __tablename__ = "edition_desktop_pairings"
    __table_args__ = (CheckConstraint("state IN ('waiting', 'confirmed', 'denied')", name="state"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    device_code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    device_name: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(16))
    """``waiting``, ``confirmed`` or ``denied``."""
    user_id: Mapped[int | None] = mapped_column(user_reference(on_delete="CASCADE"))
    """Of whoever has confirmed or denied it."""
    seal: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """``password_seal`` of whoever has confirmed it: a new password ends what has not been fetched yet as well."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    next_poll_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """A device that asks earlier is told to slow down."""
    interval: Mapped[int]
    """Seconds from one question of the device to the next."""


class Operation(Model):
    """What a device has told and what came of it, so that the same told again does nothing."""

    __tablename__ = "edition_desktop_operations"

    user_id: Mapped[int] = mapped_column(user_reference(on_delete="CASCADE"), primary_key=True)
    operation_id: Mapped[Any] = mapped_column(Uuid, primary_key=True)
    """Made by the device."""
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
    """As it was answered."""
    timer: Mapped[str | None] = mapped_column(String(64))
    """The mark of the timer that runs because of it."""
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
