"""How a session begins: its row and its entry in the audit log, both or neither, where the log-in may still go on."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import request
from sqlalchemy import bindparam, insert, select

from app.audit import Event, record, record_by, recording_where
from app.auth import throttle
from app.auth.identity import token_hash
from app.auth.models import User, UserSession
from app.config import Settings
from app.database import statement_connection, write_connection
from app.extensions import db

_FILLED = ("token_hash", "client", "address", "created_at", "last_seen_at", "expires_at")
_START = (
    insert(UserSession)
    .inline()
    .execution_options(preserve_rowcount=True)
    .from_select(
        ["user_id", *_FILLED],
        select(User.id, *(bindparam(name, type_=UserSession.__table__.c[name].type) for name in _FILLED))
        .where(
            User.id == bindparam("user"),
            User.deleted_at.is_(None),
            User.password_hash == bindparam("password_hash"),
            throttle.IS_OPEN,
        )
        .with_for_update(read=True, of=User),
    )
)
"""Inserts a row where the log-in may go on, and none where it may not any more.

Whoever changes the password meanwhile is waited for, or waits and then ends this session too. The user's row is not
written: it has more indexes than this one, and PostgreSQL counts seats after every UPDATE of it.
"""
_START_AND_RECORD = recording_where(_START.returning(UserSession.id).cte("started"))
"""For PostgreSQL; a statement is a transaction of its own."""


@dataclass(frozen=True, slots=True)
class SessionHolder:
    """Who has proved who they are, and what has to be true still when their session begins."""

    user_id: int
    login: str
    password_hash: str | None
    """The one that was compared."""
    keys: tuple[throttle.Key, ...]
    """One or two, none of which may be closed; the first one's failures are forgotten."""
    has_failed: bool
    """Whether one of ``keys`` counts failures."""


def start_session(holder: SessionHolder, *, now: datetime, settings: Settings) -> str | None:
    """Insert a session row, record it, and return its token, 256 random bits that are stored nowhere.

    None where the user has been deleted meanwhile, has another password, or is kept from trying.
    """
    token = secrets.token_urlsafe(32)
    values = {
        "token_hash": token_hash(token),
        "user": holder.user_id,
        "password_hash": holder.password_hash,
        **throttle.digests(holder.keys),
        "now": now,
        "client": str(request.user_agent)[:200],
        "address": (request.remote_addr or "")[:64],
        "created_at": now,
        "last_seen_at": now,
        "expires_at": now + timedelta(hours=settings.session_hours),
    }
    event = Event("session.start", target=holder.login, actor=holder.login)
    at_once = db.engine.dialect.name == "postgresql" and not holder.has_failed
    started = _start_at_once(values, event) if at_once else _start_in_steps(values, event, holder)
    return token if started else None


def _start_at_once(values: Mapping[str, object], event: Event) -> bool:
    """One way to PostgreSQL and back in place of four, all of which the visitor would wait for."""
    with statement_connection() as connection:
        return record_by(connection, _START_AND_RECORD, event, values)


def _start_in_steps(values: Mapping[str, object], event: Event, holder: SessionHolder) -> bool:
    """The same on SQLite, which has no such statement, and where there are failures to be forgotten."""
    with write_connection() as transaction:
        if transaction.execute(_START, values).rowcount != 1:
            return False
        if holder.has_failed:
            throttle.forget(transaction, holder.keys[0])
        record(transaction, event)
    return True
