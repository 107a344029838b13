"""System Operation → Editions."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.exceptions import NotFound

from app.editions import failures, presenter, registry, service, setting_changes
from app.editions.discovery import EditionState
from app.editions.forms import SettingsForm, settings_form
from app.editions.reasons import SETTING_CHANGED_MEANWHILE
from app.editions.setting_changes import ChangedMeanwhile
from app.editions.switches import read_switches
from app.forms import put_at_field
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
    overview = service.overview(current_standing(), read_switches(), current_state().time_zone)
    kept = failures.failures()
    return render_template(
        "editions/index.html",
        overview=overview,
        lines=[presenter.edition_line(entry) for entry in overview.entries],
        failures=kept,
        left_behind=failures.left_behind(kept),
        licensed_title=registry.title_of_edition(overview.licensed_edition or ""),
    )


@blueprint.get("/<name>")
def show(name: str) -> ResponseReturnValue:
    """One edition: what it is, what it brings, and its settings."""
    return _edition_page(name, None)


@blueprint.post("/<name>")
def change_settings(name: str) -> ResponseReturnValue:
    """Change the settings of an edition; where somebody else was faster, show theirs beside what was typed."""
    try:
        settings = setting_changes.settings_of(name)
    except Refusal as refusal:
        return _refused(refusal)
    form = settings_form(settings, setting_changes.present_values(name))
    if not form.validate_on_submit():
        return _edition_page(name, form), 422
    seen = form.seen_values()
    try:
        changed = setting_changes.change_settings(name, form.values(), seen=seen, actor=current_user.login)
    except ChangedMeanwhile as error:
        return _edition_page(name, _changed_meanwhile(form, error)), error.reason.status
    except Refusal as refusal:
        return _refused(refusal)
    flash(
        _("The settings are saved and count at once.") if changed else _("Nothing was changed."),
        "ok" if changed else "info",
    )
    return redirect(url_for("editions.show", name=name), code=303)


def _changed_meanwhile(sent: SettingsForm, error: ChangedMeanwhile) -> SettingsForm:
    """The form anew: what was typed, and what is there now where nothing was typed."""
    seen = sent.seen_values()
    typed = {name: error.present[name] if seen.get(name) == value else value for name, value in sent.values().items()}
    form = settings_form(sent.settings, typed, seen=error.present)
    for setting in sent.settings:
        if setting.name in error.conflicts:
            present = presenter.shown_value(setting, error.present[setting.name])
            put_at_field(form, Refusal(SETTING_CHANGED_MEANWHILE, field=form.field_of(setting.name), present=present))
    return form


def _edition_page(name: str, form: SettingsForm | None) -> str:
    switches = read_switches()
    try:
        found = service.find_edition(name)
    except Refusal as refusal:
        raise NotFound from refusal
    standing = current_standing()
    overview = service.overview(standing, switches, current_state().time_zone)
    (entry,) = (entry for entry in overview.entries if entry.is_about(found))
    if form is None and found.state is EditionState.LOADED:
        present = setting_changes.present_values(name)
        form = settings_form(setting_changes.settings_of(name), present, seen=present)
    return render_template(
        "editions/edition.html",
        line=presenter.edition_line(entry),
        description=registry.text_of(name, found.description),
        form=form if form is not None and form.settings else None,
        facts=presenter.facts(found),
        features=presenter.features(found, standing),
        permissions=presenter.permissions(found),
        public_addresses=presenter.public_addresses(found),
        failures=failures.failures().get(name, ()),
    )


@blueprint.post("/<name>/dismiss")
def dismiss(name: str) -> ResponseReturnValue:
    """Forget what has failed in an edition, until it fails again."""
    try:
        count = failures.dismiss(name, actor=current_user.login)
    except Refusal as refusal:
        return _refused(refusal)
    flash(
        ngettext("%(num)s failure is dismissed.", "%(num)s failures are dismissed.", count)
        if count
        else _("There was nothing left to dismiss."),
        "ok" if count else "info",
    )
    is_installed = any(found.name == name for found in registry.registry().found)
    return redirect(url_for("editions.show", name=name) if is_installed else url_for("editions.index"), code=303)


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
        lost=[registry.text_of(name, feature.title) for feature in features if feature.name in licensed],
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
