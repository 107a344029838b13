"""The pages of the desktop application: what it is, one's devices, pairing; and its devices on a user's page."""

from http import HTTPStatus
from io import BytesIO

from flask import Response, send_file

from app.sdk import (
    Audience,
    EditionBlueprint,
    Refusal,
    ResponseReturnValue,
    abort,
    code_texts,
    current_user,
    desktop_refusal,
    devices_of,
    flash,
    gettext,
    license_date,
    license_summary,
    open_to,
    put_at_field,
    redirect,
    render_template,
    request,
    url_for,
)
from plugins.desktop.client_wheel import client_wheel
from plugins.desktop.devices import disconnect
from plugins.desktop.pairing.forms import PairForm
from plugins.desktop.pairing.service import decide, find_waiting

FEATURE = "desktop.use"
pages = EditionBlueprint("desktop", __name__, feature=FEATURE)
_DEVICE = "/<int(max=9223372036854775807):device_id>/end"


@pages.get("/")
def index() -> ResponseReturnValue:
    """What the application is, how to install it, until when it works, and one's own devices."""
    refusal = desktop_refusal()
    return render_template(
        "desktop/index.html",
        devices=devices_of(current_user().user_id),
        wheel=client_wheel().name,
        refusal=code_texts(refusal) if refusal else None,
        until=license_summary().desktop.until,
        license_date=license_date,
    )


@pages.get("/client/<name>")
def download(name: str) -> Response:
    """The application as a Python wheel."""
    wheel = client_wheel()
    if name != wheel.name:
        abort(HTTPStatus.NOT_FOUND)
    return send_file(BytesIO(wheel.content), mimetype="application/zip", as_attachment=True, download_name=wheel.name)


@pages.post(f"/devices{_DEVICE}")
def end(device_id: int) -> ResponseReturnValue:
    """End one of one's own devices."""
    _end(current_user().user_id, device_id)
    return redirect(url_for("desktop.index"), code=HTTPStatus.SEE_OTHER)


def _end(user_id: int, device_id: int) -> None:
    if disconnect(user_id, device_id):
        flash(gettext("The device is disconnected. What it has not sent yet stays on it."), "ok")
    else:
        flash(gettext("This device was disconnected already."), "info")


@pages.get("/pair")
def pair() -> ResponseReturnValue:
    """Ask for the code that the device shows; nothing is looked up before it is sent."""
    form = PairForm(data={"user_code": request.args.get("user_code", "")[:20]})
    return _pair_page(form)


@pages.post("/pair")
def answer_pairing() -> ResponseReturnValue:
    """Show which device waits with the code, then say that it is one's own, or that it is not."""
    form = PairForm()
    if desktop_refusal() is not None or not form.validate():
        return _pair_page(form), HTTPStatus.UNPROCESSABLE_ENTITY
    code, decision = form.user_code.data or "", request.form.get("decision")
    try:
        if decision not in ("confirm", "deny"):
            return render_template("desktop/confirm.html", code=code, waiting=find_waiting(current_user(), code))
        name = decide(current_user(), code, is_confirmed=decision == "confirm")
    except Refusal as refusal:
        put_at_field(form, refusal)
        return _pair_page(form), refusal.reason.status
    if decision == "confirm":
        flash(
            gettext(
                "You have let “%(name)s” in. Go back to it: it connects within seconds, and then it is listed here.",
                name=name,
            ),
            "ok",
        )
    else:
        flash(gettext("“%(name)s” was turned away.", name=name), "ok")
    return redirect(url_for("desktop.index"), code=HTTPStatus.SEE_OTHER)


def _pair_page(form: PairForm) -> str:
    refusal = desktop_refusal()
    return render_template(
        "desktop/pair.html",
        form=form,
        refusal=code_texts(refusal) if refusal else None,
        until=license_summary().desktop.until,
        license_date=license_date,
    )


# On the page Account, and on System Settings → Users → a user ---------------------------------------------------------


def own_devices() -> str:
    """The devices of whoever is logged in, beside their tokens and sessions; nothing where there is none."""
    devices = devices_of(current_user().user_id)
    return render_template("desktop/_devices.html", devices=devices, user_id=None) if devices else ""


def devices_of_user(*, user_id: int) -> str:
    """The devices of a user, for administrators; nothing where there is none."""
    devices = devices_of(user_id)
    return render_template("desktop/_devices.html", devices=devices, user_id=user_id) if devices else ""


@pages.post(f"/users/<int(max=9223372036854775807):user_id>/devices{_DEVICE}")
@open_to(Audience.ADMIN, feature=FEATURE)
def end_of_user(user_id: int, device_id: int) -> ResponseReturnValue:
    """End a device of any user."""
    _end(user_id, device_id)
    return redirect(url_for("users.show", user_id=user_id), code=HTTPStatus.SEE_OTHER)
