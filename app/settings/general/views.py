"""System Settings → General."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.license.service import current_standing
from app.security import Audience, declare
from app.settings.general import service
from app.settings.general.forms import GeneralForm
from app.settings.state import current_state
from app.texts import license_date

blueprint = Blueprint("general", __name__, url_prefix="/settings/general")
declare(blueprint, Audience.ADMIN)


@blueprint.get("")
def edit() -> ResponseReturnValue:
    """What is decided for all."""
    return _page(_form())


@blueprint.post("")
def change() -> ResponseReturnValue:
    """Decide anew."""
    form = _form()
    if not form.validate_on_submit():
        return _page(form), 422
    zone_before = current_state().time_zone
    time_zone = form.time_zone.data if form.time_zone else None
    if not service.change_general(time_zone=time_zone, language=form.language.data):
        flash(_("Nothing was changed."), "info")
    else:
        flash(_saved(zone_changed=current_state().time_zone != zone_before), "ok")
    return redirect(url_for("general.edit"), code=303)


def _form() -> GeneralForm:
    general = service.read_general()
    form = GeneralForm(data={"time_zone": general.time_zone, "language": general.language})
    if service.zone_source() is not service.ZoneSource.SYSTEM_SETTINGS:
        del form.time_zone
    return form


def _saved(*, zone_changed: bool) -> str:
    """Say what has happened, and how the License Expiration Date reads in another zone."""
    zone = current_state().time_zone.key
    license_ = current_standing().license
    if not zone_changed:
        return str(_("Saved."))
    if license_ is None or license_.expires is None:
        return str(_("Saved. License dates are shown in %(zone)s now.", zone=zone))
    return str(
        _(
            "Saved. License dates are shown in %(zone)s now: the License Expiration Date is %(day)s.",
            zone=zone,
            day=license_date(license_.expires),
        )
    )


def _page(form: GeneralForm) -> str:
    license_ = current_standing().license
    return render_template(
        "general/edit.html",
        form=form,
        zone_source=service.zone_source().value,
        zone=current_state().time_zone.key,
        expires=license_.expires if license_ is not None else None,
    )
