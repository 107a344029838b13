"""System Settings → System Operation: status and audit log."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _
from werkzeug.exceptions import BadRequest

from app import clock
from app.audit import OUTCOME_REFUSED
from app.editions.permissions import permission_title
from app.security import Audience, declare
from app.settings.operation import audit_log
from app.settings.operation.actions import VALUES
from app.settings.operation.audit_log import Cursor, Entry
from app.settings.operation.csv_export import csv_lines
from app.settings.operation.forms import AuditFilterForm
from app.settings.operation.status import read_status
from app.settings.operation.titles import action_titles
from app.texts import actor_name, license_date, listed, starting_date

blueprint = Blueprint("operation", __name__, url_prefix="/settings/operation")
declare(blueprint, Audience.ADMIN)
_LICENSE_DATES: Mapping[str, Callable[[datetime], str]] = {
    "starts": starting_date,
    "license_expires": license_date,
    "maintenance_expires": license_date,
}


@blueprint.get("/status")
def status() -> ResponseReturnValue:
    """Versions, database, keys, sessions."""
    return render_template("operation/status.html", status=read_status())


@blueprint.get("/audit")
def audit() -> ResponseReturnValue:
    """The audit log, a page at a time."""
    form = AuditFilterForm(request.args)
    if not form.validate():
        return _audit_page(form, audit_log.Page((), None, None)), 422
    page = audit_log.read_page(
        form.filters(_zone()),
        older_than=Cursor.parse(request.args.get("older", "")),
        newer_than=Cursor.parse(request.args.get("newer", "")),
    )
    return _audit_page(form, page)


@blueprint.get("/audit/export")
def export_audit() -> ResponseReturnValue:
    """The audit log under the same filters as CSV, sent while it is read."""
    form = AuditFilterForm(request.args)
    if not form.validate():
        raise BadRequest
    entries = audit_log.read_all(form.filters(_zone()))
    name = f"audit-log-{clock.now().astimezone(_zone()):%Y-%m-%d}.csv"
    return Response(
        stream_with_context(csv_lines(_csv_head(), _csv_rows(entries))),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _zone() -> ZoneInfo:
    """The person's zone, in which the times of the log are shown and its days begin."""
    return ZoneInfo(str(get_timezone()))


def _audit_page(form: AuditFilterForm, page: audit_log.Page) -> str:
    titles = action_titles()
    filters: dict[str, Any] = {name: value for name, value in request.args.items() if name in form.data and value}
    return render_template(
        "operation/audit.html",
        form=form,
        page=page,
        zone=_zone().key,
        newer_url=url_for("operation.audit", **filters, newer=page.newer) if page.newer else "",
        older_url=url_for("operation.audit", **filters, older=page.older) if page.older else "",
        export_url=url_for("operation.export_audit", **filters),
        actor_name=_actor_name,
        action_title=lambda action: titles.get(action, action),
        value_title=_value_title,
        value_text=_value_text,
    )


def _actor_name(entry: Entry) -> str:
    return actor_name(entry.actor) or str(_("Nobody logged in"))


def _value_title(name: str) -> str:
    return str(_(VALUES[name])) if name in VALUES else name


def _value_text(name: str, value: object) -> str:
    """A recorded value for people; license dates as they are shown everywhere, in the installation's zone."""
    if value is None or value in ("", []):
        return "–"
    if name in _LICENSE_DATES and isinstance(value, str):
        with suppress(ValueError):  # what an edition records under such a name need not be an instant
            return _LICENSE_DATES[name](datetime.fromisoformat(value))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if not isinstance(value, list):
        return str(value)
    if name == "permissions":
        return listed(permission_title(str(each)) for each in value)
    return listed(map(str, value))


def _csv_head() -> list[str]:
    return [
        _("When"),
        _("Who"),
        _("Action"),
        _("Action code"),
        _("Target"),
        _("Outcome"),
        _("Reason code"),
        _("Before"),
        _("After"),
        _("From address"),
    ]


def _csv_rows(entries: Iterator[Entry]) -> Iterator[list[str]]:
    zone = _zone()
    # Looked up once: translating costs more than all the rest of a row.
    titles = action_titles()
    done, refused = _("Done"), _("Refused")
    for entry in entries:
        changes = entry.changes
        yield [
            entry.at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
            entry.actor,
            titles.get(entry.action, entry.action),
            entry.action,
            entry.target,
            refused if entry.outcome == OUTCOME_REFUSED else done,
            entry.code or "",
            _side({change.name: change.old for change in changes} if entry.before else {}),
            _side({change.name: change.new for change in changes} if entry.after else {}),
            entry.address,
        ]


def _side(values: dict[str, object]) -> str:
    return "; ".join(f"{_value_title(name)}: {_value_text(name, value)}" for name, value in values.items())
