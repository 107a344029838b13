"""Log in, log out, set up, and one's own account."""

from typing import cast

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_datetime, ngettext
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import BadRequest, NotFound

from app import clock
from app.auth import service
from app.auth.forms import LoginForm, PasswordForm, ProfileForm, SetupForm, TokenForm
from app.auth.identity import Identity, current_identity
from app.auth.sessions import OpenSession, open_sessions
from app.auth.setup import is_setup_pending
from app.auth.tokens import end_own_token, make_personal_token, personal_tokens
from app.auth.users import UserDetails, UserState
from app.config import Settings
from app.errors import answer_refusal
from app.forms import chosen_id, or_none, put_all_at_fields, put_at_field
from app.license.reasons import LicenseError
from app.license.service import current_standing
from app.localisation import LANGUAGES, html_language
from app.refusal import Refusal
from app.security import SCOPES, Audience, WhileRestricted, access, declare

blueprint = Blueprint("auth", __name__)
declare(blueprint, Audience.MEMBER)
SESSIONS_SHOWN = 10
_ALL_OTHERS = "others"
_LARGEST_ID = 2**63 - 1


@blueprint.route("/login", methods=["GET", "POST"])
@access(Audience.PUBLIC)
def login() -> ResponseReturnValue:
    """The log-in page; zero statements for whoever is just looking at it."""
    _choose_language()
    if is_setup_pending():
        return redirect(url_for("auth.setup"), code=303)
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(url_for("home.index"), code=303)
    form = LoginForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    status = 200
    if form.validate_on_submit():
        try:
            service.log_in(form.login.data or "", form.password.data or "")
        except LicenseError as error:
            return answer_refusal(error)
        except Refusal as error:
            put_at_field(form, error)
            status = error.reason.status
        else:
            return redirect(safe_next(form.next.data), code=303)
    elif request.method == "POST":
        status = 422
    return render_template("auth/login.html", form=form, languages=_languages("auth.login")), status


def safe_next(target: str | None) -> str:
    """Return ``target`` where it is a path of this application, else the start page; never another site."""
    start = url_for("home.index")
    if not target or not target.isascii() or not target.isprintable():
        return start
    # Browsers read a backslash as a slash, and two slashes as another host.
    is_path = target.startswith("/") and not target.startswith("//") and "\\" not in target
    return target if is_path else start


@blueprint.post("/logout")
@access(Audience.MEMBER, while_restricted=WhileRestricted.EVERYONE)
def logout() -> ResponseReturnValue:
    """End the session, here and on the server."""
    service.log_out(_identity())
    flash(_("You are logged out."), "ok")
    return redirect(url_for("auth.login"), code=303)


@blueprint.route("/setup", methods=["GET", "POST"])
@access(Audience.PUBLIC)
def setup() -> ResponseReturnValue:
    """The first run. There is no such page once there is a user."""
    if not is_setup_pending():
        raise NotFound
    _choose_language()
    form = SetupForm()
    settings: Settings = current_app.extensions["settings"]
    if settings.time_zone is not None:
        del form.time_zone
    if request.method == "GET":
        form.language.data = html_language()
        if form.time_zone is not None:
            form.time_zone.data = "UTC"
    status = 200
    if form.is_submitted():
        refusals = _set_up(form)
        if not form.errors:
            flash(_("This installation is set up. Register your license key now."), "ok")
            return redirect(url_for("license.show"), code=303)
        status = refusals[0].reason.status if refusals else 422
    return render_template("auth/setup.html", form=form, languages=_languages("auth.setup")), status


def _set_up(form: SetupForm) -> tuple[Refusal, ...]:
    """Set up, or leave at the fields everything at once that stands against it."""
    form.validate()
    zone = form.time_zone.data if form.time_zone is not None else None
    typed = UserState(
        form.login.data or "",
        form.name.data or "",
        form.email.data,
        form.language.data,
        zone,
        is_system_administrator=True,
    )
    code, password = form.setup_code.data or "", form.password.data or ""
    refusals = service.set_up_refusals(code, typed, password)
    put_all_at_fields(form, refusals)
    if form.errors:
        return refusals
    try:
        details = UserDetails(typed.login, typed.name, typed.email, typed.language, typed.time_zone)
        service.create_first_administrator(code, details, password)
    except Refusal as error:
        put_at_field(form, error)
        return (error,)
    return ()


@blueprint.get("/account")
@access(Audience.MEMBER, while_restricted=WhileRestricted.ADMINISTRATORS)
def account() -> ResponseReturnValue:
    """One's own particulars; while restricted, an administrator finds the password alone."""
    return _account_page(_profile_form(_identity()), PasswordForm())


@blueprint.post("/account")
def change_profile() -> ResponseReturnValue:
    """Change one's own particulars."""
    identity = _identity()
    form = ProfileForm()
    if not form.validate_on_submit():
        return _account_page(form, PasswordForm(formdata=None), 422)
    try:
        details = UserDetails(
            identity.login,
            form.name.data or "",
            form.email.data,
            or_none(form.language.data),
            or_none(form.time_zone.data),
        )
        service.change_profile(identity, details, form.theme.data)
    except Refusal as error:
        put_at_field(form, error)
        return _account_page(form, PasswordForm(formdata=None), error.reason.status)
    flash(_("Your particulars are saved."), "ok")
    return redirect(url_for("auth.account"), code=303)


@blueprint.post("/account/password")
@access(Audience.MEMBER, while_restricted=WhileRestricted.ADMINISTRATORS)
def change_password() -> ResponseReturnValue:
    """Change one's own password, which ends every other session of one's own."""
    identity = _identity()
    form = PasswordForm()
    status = 422
    if form.validate_on_submit():
        try:
            service.change_password(identity, form.current_password.data or "", form.new_password.data or "")
        except Refusal as error:
            put_at_field(form, error)
            status = error.reason.status
        else:
            flash(_("Your password is changed. All your other sessions are ended."), "ok")
            return redirect(url_for("auth.account"), code=303)
    return _account_page(_profile_form(identity), form, status)


@blueprint.post("/account/sessions")
@access(Audience.MEMBER, while_restricted=WhileRestricted.ADMINISTRATORS)
def end_sessions() -> ResponseReturnValue:
    """End one session of one's own, or all of them but this one."""
    identity = _identity()
    chosen = request.form.get("session", "")
    if chosen == _ALL_OTHERS:
        number = service.end_other_sessions(identity)
        told = ngettext("%(shown)s session is ended.", "%(shown)s sessions are ended.", number, shown=number)
        flash(told if number else _("There was no other session."), "ok" if number else "info")
    elif chosen.isascii() and chosen.isdecimal() and len(chosen) < len(str(_LARGEST_ID)):
        ended = service.end_one_session(identity, int(chosen))
        flash(_("The session is ended.") if ended else _("That session had ended already."), "ok" if ended else "info")
    else:
        raise BadRequest
    return redirect(url_for("auth.account"), code=303)


@blueprint.post("/account/tokens")
def make_token() -> ResponseReturnValue:
    """Make a personal token, and show it this once: in the answer itself, so that no address holds it."""
    identity = _identity()
    form = TokenForm()
    password, profile = PasswordForm(formdata=None), _profile_form(identity)
    if not form.validate_on_submit():
        return _account_page(profile, password, 422, token_form=form)
    try:
        token = make_personal_token(identity, form.name.data or "", form.scopes.data or (), form.days.data)
    except Refusal as error:
        put_at_field(form, error)
        return _account_page(profile, password, error.reason.status, token_form=form)
    return _account_page(profile, password, new_token=token)


@blueprint.post("/account/tokens/end")
def end_token() -> ResponseReturnValue:
    """End one personal token of one's own."""
    ended = end_own_token(_identity(), chosen_id("token"))
    flash(_("The token is ended.") if ended else _("That token had ended already."), "ok" if ended else "info")
    return redirect(url_for("auth.account"), code=303)


def _profile_form(identity: Identity) -> ProfileForm:
    """The form as it stands in the database, whatever was posted to the other form of the page."""
    return ProfileForm(
        formdata=None,
        data={
            "name": identity.name,
            "email": identity.email,
            "language": identity.language or "",
            "time_zone": identity.time_zone or "",
            "theme": identity.theme,
        },
    )


def _account_page(
    profile: ProfileForm,
    password: PasswordForm,
    status: int = 200,
    *,
    token_form: TokenForm | None = None,
    new_token: str = "",
) -> ResponseReturnValue:
    identity = _identity()
    settings: Settings = current_app.extensions["settings"]
    sessions = open_sessions(identity.user_id, clock.now(), settings)
    sessions = tuple(sorted(sessions, key=lambda own: own.id != identity.session_id))  # this one first
    page = render_template(
        "auth/account.html",
        form=profile,
        password_form=password,
        sessions=[_shown(own, identity) for own in sessions[:SESSIONS_SHOWN]],
        session_count=len(sessions),
        tokens=personal_tokens(identity.user_id),
        token_form=token_form or TokenForm(formdata=None, scopes=["profile.read", "data.read"], days=90),
        new_token=new_token,
        scope_titles={scope.value: _(title) for scope, title in SCOPES.items()},
        now=clock.now(),
        restricted=current_standing().restricted,
    )
    return page, status


def _shown(own: OpenSession, identity: Identity) -> dict[str, object]:
    started = format_datetime(own.created_at, "medium")
    last_seen = format_datetime(own.last_seen_at, "medium")
    return {
        "id": own.id,
        "device": own.device or _("Unknown device"),
        "address": own.address,
        "started": _("logged in on %(time)s", time=started),
        "last_seen": _("last seen on %(time)s", time=last_seen),
        "current": own.id == identity.session_id,
    }


def _identity() -> Identity:
    return cast(Identity, current_identity())  # the gate lets nobody else get here


def _choose_language() -> None:
    """Remember the language that was chosen below the card, for the pages in front of the log-in."""
    chosen = request.args.get("language")
    if chosen in LANGUAGES:
        session["language"] = chosen


def _languages(endpoint: str) -> list[tuple[str, str, str, bool]]:
    """Code, own name, address and whether it is the one shown, of each language."""
    after = request.args.get("next")
    chosen = html_language()
    return [
        (code, name, url_for(endpoint, language=code, next=after), code == chosen) for code, name in LANGUAGES.items()
    ]
