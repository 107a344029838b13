"""Users, their permissions and their sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeEngine

from app.database import RowId, UtcDateTime
from app.extensions import Base


def _folded(length: int) -> TypeEngine[str]:
    """A folded form, in the order of its code points on both engines, so that a prefix is a range of an index."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def _partial(name: str, column: str, condition: str) -> Index:
    """An index of one order that the list of users is read in; it holds the rows of that list alone."""
    return Index(name, column, "id", sqlite_where=text(condition), postgresql_where=text(condition))


class User(Base):
    """A registered user while ``deleted_at`` is null: one seat, administrators included.

    ``login_key``, ``name_key`` and ``email_key`` are the folded forms (NFKC, case-folded) that uniqueness, order and
    search go by; ``search_text`` holds all three, one a line, and is indexed by ``app.auth.grams``.
    """

    __tablename__ = "users"
    __table_args__ = (
        _partial("ix_users_name", "name_key", "deleted_at IS NULL"),
        _partial("ix_users_email", "email_key", "deleted_at IS NULL AND email_key IS NOT NULL"),
        _partial("ix_users_no_email", "name_key", "deleted_at IS NULL AND email_key IS NULL"),
        _partial("ix_users_seen", "last_seen_at", "deleted_at IS NULL AND last_seen_at IS NOT NULL"),
        _partial("ix_users_never_seen", "name_key", "deleted_at IS NULL AND last_seen_at IS NULL"),
        _partial("ix_users_deleted_name", "name_key", "deleted_at IS NOT NULL"),
        _partial("ix_users_deleted", "deleted_at", "deleted_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    login: Mapped[str] = mapped_column(String(64))
    login_key: Mapped[str] = mapped_column(_folded(256), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(_folded(800))
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(_folded(1016))
    search_text: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    language: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str] = mapped_column(String(8), default="auto", server_default="auto")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    permissions: Mapped[list["UserPermission"]] = relationship(cascade="all, delete-orphan")


class UserPermission(Base):
    """A permission that a user holds, by its name; ``app.security.PERMISSIONS`` says which there are."""

    __tablename__ = "user_permissions"
    __table_args__ = (Index(None, "permission", "user_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(64), primary_key=True)


class UserSession(Base):
    """A browser that is logged in. The cookie carries a random token, this row its SHA-256 alone."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    client: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class AccessToken(Base):
    """What a program proves with whose it is; ended by deleting the row.

    The token's text, or for devices the secret in it, has 256 random bits and is stored nowhere: this row has its
    SHA-256 alone.
    """

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """The value of its ``Credential``."""
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[str] = mapped_column(Text)
    """Names with a space between them; a device has none and needs none."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None of a device."""
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Throttle(Base):
    """Failed attempts of one account or one address; the key is a hash, so that the table names nobody."""

    __tablename__ = "throttles"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    open_again_at: Mapped[datetime] = mapped_column(UtcDateTime)
    forgotten_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
