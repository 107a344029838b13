"""System Settings → Users."""

import json
from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import NotFound

from app import clock
from app.auth.reasons import LOGIN_DELETED, USER_UNKNOWN
from app.auth.tokens import end_token_of_user, personal_tokens
from app.auth.users import ChangedMeanwhile, UserState, merged
from app.editions.permissions import edition_permissions
from app.forms import chosen_id, put_at_field
from app.license.service import current_standing
from app.refusal import Refusal
from app.sealing import seal, unseal
from app.security import SCOPES, Audience, declare
from app.settings.users import presenter, service
from app.settings.users.addresses import Links, query_of
from app.settings.users.forms import AddForm, EditForm, PasswordForm, write_state
from app.settings.users.listing import State, count_deleted_users, read_page
from app.settings.users.presenter import Question
from app.settings.users.service import Affected, Confirmation, SeatConfirmationNeeded
from app.texts import code_texts

blueprint = Blueprint("users", __name__, url_prefix="/settings/users")
declare(blueprint, Audience.ADMIN)
_USER = "/<int(max=9223372036854775807):user_id>"  # what a column of the database can hold
SEAT_QUESTION = "user past the seats"
_LARGEST_ID = 2**63 - 1


# The list -------------------------------------------------------------------------------------------------------------


@blueprint.get("")
def index() -> ResponseReturnValue:
    """The list of users."""
    query = query_of(request.args)
    page = read_page(query, clock.now())
    standing = current_standing()
    deleted = count_deleted_users()
    total = standing.registered_users if query.state is State.ACTIVE else deleted
    return render_template(
        "users/index.html",
        query=query,
        page=page,
        standing=standing,
        deleted_count=presenter.counted(deleted),
        summary=presenter.page_summary(query, page, total),
        links=Links(query),
        show=presenter,
        own_id=current_user.user_id,
    )


# Adding ---------------------------------------------------------------------------------------------------------------


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """The form for a new user."""
    return _add_page(AddForm(formdata=None))


@blueprint.post("/new")
def add() -> ResponseReturnValue:
    """Add the user; past the seats, ask first."""
    form = AddForm()
    if not form.validate_on_submit():
        return _add_page(form), 422
    try:
        affected = _add(form, service.UNCONFIRMED)
    except SeatConfirmationNeeded as needed:
        return _ask_about_seats(needed, form, changed=False, tick_missing=False)
    except Refusal as error:
        put_at_field(form, error)
        return _add_page(form, error), error.reason.status
    return _added(affected)


@blueprint.post("/new/confirm")
def add_confirmed() -> ResponseReturnValue:
    """Add the user whom the warning was about."""
    typed = _unsealed(request.form.get("sealed", ""))
    if typed is None:
        flash(_("The page was open for too long. Type the user again."), "warn")
        return redirect(url_for("users.new"), code=303)
    form = AddForm(formdata=None, data=typed)
    ticked = request.form.get("confirm") == "1"
    try:
        affected = _add(form, Confirmation(request.form.get("seen", "") if ticked else ""))
    except SeatConfirmationNeeded as needed:
        return _ask_about_seats(needed, form, changed=ticked, tick_missing=not ticked)
    except Refusal as error:
        put_at_field(form, error)
        return _add_page(form, error), error.reason.status
    return _added(affected)


def _add(form: AddForm, confirmation: Confirmation) -> Affected:
    return service.add(
        form.details(),
        password=form.password.data or None,
        administrator=bool(form.administrator.data),
        permissions=form.permissions.data or (),
        confirmation=confirmation,
    )


def _added(affected: Affected) -> ResponseReturnValue:
    flash(presenter.added_message(affected), "ok")
    return redirect(url_for("users.index"), code=303)


def _add_page(form: AddForm, error: Refusal | None = None) -> str:
    reserved = None
    if error is not None and error.reason is LOGIN_DELETED:
        reserved = service.user_view(service.find(form.login.data or "", deleted=None))
    return render_template(
        "users/new.html",
        form=form,
        reserved=reserved,
        standing=current_standing(),
        permissions=edition_permissions(),
    )


_SEALED = ("login", "name", "email", "language", "time_zone", "administrator", "permissions", "password")


def _ask_about_seats(
    needed: SeatConfirmationNeeded, form: AddForm, *, changed: bool, tick_missing: bool
) -> ResponseReturnValue:
    # A password is among what was typed, so that it travels sealed, as a license key does in its preview.
    typed = json.dumps({name: form[name].data for name in _SEALED})
    sealed = seal(typed, purpose=SEAT_QUESTION, identity=current_user)
    question = presenter.seat_question(
        needed.warning, [form.name.data or ""], restoring=False, changed=changed, tick_missing=tick_missing
    )
    hidden = {"sealed": sealed, "seen": needed.warning.digest}
    return _question_page(question, url_for("users.add_confirmed"), hidden, danger=True)


def _unsealed(sealed: str) -> dict[str, object] | None:
    text = unseal(sealed, purpose=SEAT_QUESTION, identity=current_user)
    if text is None:
        return None
    typed: dict[str, object] = json.loads(text)
    return typed


def _question_page(question: Question, action: str, hidden: Mapping[str, str], *, danger: bool) -> tuple[str, int]:
    page = render_template(
        "users/question.html",
        view=question,
        action_url=action,
        hidden=hidden,
        danger=danger,
        cancel_url=url_for("users.index"),
    )
    return page, 422 if question.tick_missing else 409 if question.changed else 200


# One user -------------------------------------------------------------------------------------------------------------


@blueprint.get(_USER)
def show(user_id: int) -> ResponseReturnValue:
    """One user, to be changed; a deleted one, to be restored."""
    return _user_page(_view(user_id), None, PasswordForm(formdata=None))


@blueprint.post(_USER)
def change(user_id: int) -> ResponseReturnValue:
    """Change a user; where somebody else was faster, show what they have changed beside what was typed."""
    view = _view(user_id)
    form = EditForm()
    seen = form.seen_state()
    password_form = PasswordForm(formdata=None)
    if not form.validate_on_submit() or seen is None:
        return _user_page(view, form, password_form), 422
    if user_id == current_user.user_id:
        form.administrator.data = seen.is_system_administrator  # shown as text; nobody withdraws it from oneself
    try:
        changed = service.change(
            user_id,
            form.details(),
            administrator=bool(form.administrator.data),
            permissions=form.state().permissions,
            seen=seen,
        )
    except ChangedMeanwhile as error:
        state = merged(seen, form.state(), error.present)
        anew = _edit_form(state, shown=error.present)
        put_at_field(anew, error)
        page = _user_page(view, anew, password_form, presenter.changes_between(seen, error.present))
        return page, error.reason.status
    except Refusal as error:
        put_at_field(form, error)
        return _user_page(view, form, password_form, reserved=_reserved(error, form)), error.reason.status
    flash(_("The changes are saved.") if changed else _("Nothing was changed."), "ok" if changed else "info")
    return redirect(url_for("users.show", user_id=user_id), code=303)


@blueprint.post(f"{_USER}/password")
def set_password(user_id: int) -> ResponseReturnValue:
    """Set somebody's password; one's own is changed on the account page, which asks for the current one."""
    view = _view(user_id)
    if user_id == current_user.user_id:
        return redirect(url_for("auth.account"), code=303)
    form = PasswordForm()
    if not form.validate_on_submit():
        return _user_page(view, None, form), 422
    try:
        login = service.set_password(user_id, form.new_password.data or "")
    except Refusal as error:
        put_at_field(form, error)
        return _user_page(view, None, form), error.reason.status
    flash(_("The password of %(login)s is set. All sessions of this user are ended.", login=login), "ok")
    return redirect(url_for("users.show", user_id=user_id), code=303)


@blueprint.post(f"{_USER}/tokens/end")
def end_token(user_id: int) -> ResponseReturnValue:
    """End one personal token of this user."""
    ended = end_token_of_user(user_id, chosen_id("token"))
    flash(_("The token is ended.") if ended else _("That token had ended already."), "ok" if ended else "info")
    return redirect(url_for("users.show", user_id=user_id), code=303)


def _view(user_id: int) -> service.UserView:
    try:
        return service.user_view(user_id)
    except Refusal as error:
        if error.reason is USER_UNKNOWN:
            raise NotFound from error
        raise


def _reserved(error: Refusal, form: EditForm) -> service.UserView | None:
    if error.reason is not LOGIN_DELETED:
        return None
    return service.user_view(service.find(form.login.data or "", deleted=None))


def _edit_form(state: UserState, *, shown: UserState) -> EditForm:
    return EditForm(
        formdata=None,
        data={
            "login": state.login,
            "name": state.name,
            "email": state.email,
            "language": state.language or "",
            "time_zone": state.time_zone or "",
            "administrator": state.is_system_administrator,
            "permissions": list(state.permissions),
            "seen": write_state(shown),
        },
    )


def _user_page(
    view: service.UserView,
    form: EditForm | None,
    password_form: PasswordForm,
    changes: tuple[presenter.FieldChange, ...] = (),
    reserved: service.UserView | None = None,
) -> str:
    return render_template(
        "users/user.html",
        view=view,
        form=form or _edit_form(view.state, shown=view.state),
        password_form=password_form,
        changes=changes,
        reserved=reserved,
        is_oneself=view.user_id == current_user.user_id,
        permissions=edition_permissions(),
        tokens=personal_tokens(view.user_id),
        scope_titles={scope.value: _(title) for scope, title in SCOPES.items()},
        now=clock.now(),
        show=presenter,
    )


# Deleting and restoring -----------------------------------------------------------------------------------------------


@blueprint.get("/delete")
def ask_to_delete() -> ResponseReturnValue:
    """What deleting the chosen users would do, with numbers."""
    try:
        deletion = service.deletion(_user_ids(request.args.getlist("user")))
    except Refusal as error:
        return _back_with(error)
    question = presenter.deletion_question(deletion)
    ids = ",".join(map(str, deletion.user_ids))
    return _question_page(question, url_for("users.delete"), {"users": ids}, danger=True)


@blueprint.post("/delete")
def delete() -> ResponseReturnValue:
    """Delete the chosen users, with an Undo."""
    try:
        affected = service.delete(_user_ids(request.form.get("users", "").split(",")))
    except Refusal as error:
        return _back_with(error)
    undo = {
        "text": presenter.deleted_message(affected),
        "action_label": _("Restore them") if len(affected.user_ids) > 1 else _("Restore"),
        "action_url": url_for("users.restore", users=",".join(map(str, affected.user_ids))),
        "action_method": "post",
    }
    flash(undo, "ok")  # type: ignore[arg-type]  # Flask stores what JSON can hold; the macro takes a mapping
    return redirect(url_for("users.index"), code=303)


@blueprint.post("/restore")
def restore() -> ResponseReturnValue:
    """Restore users: those ticked, the one whose button was pressed, or those whom an Undo names."""
    only = request.form.get("only")
    named = request.values.get("users", "").split(",")
    user_ids = _user_ids([only] if only else request.form.getlist("user") or named)
    ticked = request.form.get("confirm") == "1"
    asked = "seen" in request.form
    try:
        confirmation = Confirmation(request.form.get("seen", "") if ticked else "")
        affected = service.restore(user_ids, confirmation=confirmation)
    except SeatConfirmationNeeded as needed:
        question = presenter.seat_question(
            needed.warning,
            service.names_of(user_ids),
            restoring=True,
            changed=ticked,
            tick_missing=asked and not ticked,
        )
        hidden = {"users": ",".join(map(str, user_ids)), "seen": needed.warning.digest}
        return _question_page(question, url_for("users.restore"), hidden, danger=True)
    except Refusal as error:
        return _back_with(error)
    flash(presenter.restored_message(affected), "ok")
    if len(affected.user_ids) == 1:
        return redirect(url_for("users.show", user_id=affected.user_ids[0]), code=303)
    return redirect(url_for("users.index"), code=303)


def _user_ids(texts: list[str]) -> list[int]:
    numbers = (int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < len(str(_LARGEST_ID)))
    return list(dict.fromkeys(numbers))


def _back_with(error: Refusal) -> ResponseReturnValue:
    """Back to the list, which says what was refused."""
    texts = code_texts(error)
    flash(f"{texts.message} {texts.remedy}", "danger")
    return redirect(url_for("users.index"), code=303)
