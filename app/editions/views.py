"""System Operation → Editions."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.editions import registry, service
from app.editions.discovery import STATE_TITLES
from app.editions.switches import read_switches
from app.license.service import current_standing
from app.refusal import Refusal
from app.security import Audience, declare
from app.settings.state import current_state
from app.texts import code_texts

blueprint = Blueprint("editions", __name__, url_prefix="/settings/operation/editions")
declare(blueprint, Audience.ADMIN)


@blueprint.get("")
def index() -> ResponseReturnValue:
    """Every installed edition with its state, the reason for it, and what the license makes of it."""
    return render_template(
        "editions/index.html",
        overview=service.overview(current_standing(), read_switches(), current_state().time_zone),
        state_titles=STATE_TITLES,
        title_of=registry.title_of_edition,
        texts_of=code_texts,
        text_of=_,
    )


@blueprint.post("/<name>/enable")
def enable(name: str) -> ResponseReturnValue:
    """Switch an edition on, from the next restart."""
    try:
        service.enable(name, actor=current_user.login)
    except Refusal as refusal:
        return _refused(refusal)
    title = registry.title_of_edition(name)
    flash(_("%(edition)s comes on when the application is restarted.", edition=title), "ok")
    return redirect(url_for("editions.index"), code=303)


@blueprint.get("/<name>/disable")
def confirm_disable(name: str) -> ResponseReturnValue:
    """Say what disabling an edition will end, before it does."""
    switches = read_switches()
    try:
        found = service.find_edition(name)
        service.check_can_be_disabled(found, switches)
    except Refusal as refusal:
        return _refused(refusal)
    standing = current_standing()
    (entry,) = (entry for entry in service.overview(standing, switches).entries if entry.is_about(found))
    licensed = registry.licensed_features(standing)
    features = found.manifest.features if found.manifest is not None else ()
    return render_template(
        "editions/disable.html",
        entry=entry,
        title=registry.title_of_edition(name),
        lost=[_(feature.title) for feature in features if feature.name in licensed],
    )


@blueprint.post("/<name>/disable")
def disable(name: str) -> ResponseReturnValue:
    """Switch an edition off, from the next restart."""
    try:
        service.disable(name, actor=current_user.login)
    except Refusal as refusal:
        return _refused(refusal)
    title = registry.title_of_edition(name)
    flash(_("%(edition)s goes off when the application is restarted. Its data is kept.", edition=title), "ok")
    return redirect(url_for("editions.index"), code=303)


def _refused(refusal: Refusal) -> ResponseReturnValue:
    texts = code_texts(refusal)
    flash(f"{texts.message} {texts.remedy}", "danger")
    return redirect(url_for("editions.index"), code=303)
