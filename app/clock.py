"""The one clock: time is read once a request, so that a request cannot see two dates."""

from datetime import UTC, datetime

from flask import g, has_request_context


def now() -> datetime:
    """The instant of this request, or the present outside a request; aware, in UTC."""
    if not has_request_context():
        return datetime.now(UTC)
    if "now" not in g:
        g.now = datetime.now(UTC)
    instant: datetime = g.now
    return instant
