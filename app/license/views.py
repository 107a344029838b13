"""System Operation → License."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.forms import put_at_field
from app.license import presenter, preview_presenter, service
from app.license.forms import ConfirmationForm, LicenseKeyForm
from app.license.preview import Preview
from app.license.reasons import LicenseError
from app.sealing import seal, unseal
from app.security import Audience, declare

blueprint = Blueprint("license", __name__, url_prefix="/settings/operation/license")
declare(blueprint, Audience.ADMIN)
PREVIEW = "license preview"


@blueprint.get("")
def show() -> ResponseReturnValue:
    """What is licensed, and the field for a key."""
    return _screen(LicenseKeyForm(formdata=None))


@blueprint.post("")
def register() -> ResponseReturnValue:
    """Register the pasted key, or show what that would change where something gets worse or a check was asked for."""
    form = LicenseKeyForm()
    key_text = form.license_key.data or ""
    try:
        if form.check.data:
            return _preview(key_text, service.check(key_text), only_checked=True)
        outcome = service.register(key_text)
    except service.ConfirmationNeeded as needed:
        return _preview(key_text, needed.preview)
    except LicenseError as error:
        # What was typed stays, so that a cut or altered key can be mended. A key that verifies has nothing to mend, and
        # its text is a bearer secret that is never shown again (design section 4): of that one the field is empty.
        shown = LicenseKeyForm(formdata=None) if service.is_genuine(key_text) else form
        put_at_field(shown, error)
        return _screen(shown), error.reason.status
    return _registered(outcome)


@blueprint.post("/confirm")
def confirm() -> ResponseReturnValue:
    """Register what the preview showed; verified again, and shown again where it would do something else by now."""
    form = ConfirmationForm()
    key_text = unseal(form.sealed_key.data or "", purpose=PREVIEW, identity=current_user)
    if key_text is None:
        flash(_("The preview is no longer valid. Paste the license key again."), "warn")
        return redirect(url_for("license.show"), code=303)
    try:
        shown = service.check(key_text)
        if shown.digest != form.seen.data:
            return _preview(key_text, shown, changed_meanwhile=True)
        if shown.locked_out and not form.confirm.data:
            return _preview(key_text, shown, tick_missing=True)
        outcome = service.register(key_text, confirmed=form.seen.data)
    except service.ConfirmationNeeded as needed:
        return _preview(key_text, needed.preview, changed_meanwhile=True)
    except LicenseError as error:
        empty = LicenseKeyForm(formdata=None)
        put_at_field(empty, error)
        return _screen(empty), error.reason.status
    return _registered(outcome)


def _screen(form: LicenseKeyForm) -> str:
    return render_template("license/license.html", view=presenter.license_screen(), form=form)


def _preview(
    key_text: str,
    preview: Preview,
    *,
    only_checked: bool = False,
    changed_meanwhile: bool = False,
    tick_missing: bool = False,
) -> ResponseReturnValue:
    sealed = seal(key_text, purpose=PREVIEW, identity=current_user)
    view = preview_presenter.preview_screen(
        preview,
        sealed_key=sealed,
        only_checked=only_checked,
        changed_meanwhile=changed_meanwhile,
        tick_missing=tick_missing,
    )
    page = render_template("license/preview.html", view=view, license_url=url_for("license.show"))
    return page, 422 if tick_missing else 409 if changed_meanwhile else 200


def _registered(outcome: service.Outcome) -> ResponseReturnValue:
    flash(presenter.registered_message(outcome), "warn" if outcome.standing.restricted else "ok")
    return redirect(url_for("license.show"), code=303)
