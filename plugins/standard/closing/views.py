"""The pages of closing: what is closed, what a move would do, and the move."""

from http import HTTPStatus

from werkzeug.wrappers import Response

from app.sdk import (
    EditionBlueprint,
    Refusal,
    actor_name,
    code_texts,
    current_user,
    find_users,
    flash,
    redirect,
    render_template,
    request,
    time_zone,
    today,
    url_for,
)
from plugins.standard.closing import presenter, service
from plugins.standard.closing.rules import Wanted, read_wanted, useful_days
from plugins.standard.people_hours import Seen
from plugins.standard.permissions import CLOSING
from plugins.standard.timesheet.asked import as_id, asked_person, present_times
from plugins.standard.timesheet.blueprint import refused

pages = EditionBlueprint(
    "standard_closing",
    "plugins.standard",
    feature="timesheet.closing",
    permission=CLOSING.name,
    url_prefix="/closing",
)
pages.register_error_handler(Refusal, refused)
pages.add_app_template_filter(actor_name, "standard_actor")
Answer = str | tuple[str, int] | Response


@pages.get("/")
def index() -> Answer:
    """What is closed for everybody, and who has a day of their own."""
    return _index(None)


@pages.get("/person")
def person() -> Answer:
    """One person's closing date, of ``?person=12``."""
    return _person(asked_person() or current_user().user_id, None)


@pages.get("/check")
def check() -> Answer:
    """What it would do to close or open days, before it is done."""
    try:
        wanted = _wanted()
    except Refusal as refusal:
        if refusal.field is None:
            raise
        return _again(refusal), refusal.reason.status
    return _question(wanted)


@pages.post("/")
def carry_out() -> Answer:
    """Do it, unless somebody else has moved the date meanwhile."""
    wanted = _wanted()
    try:
        effect = service.carry_out(wanted, request.form.get("seen", ""), current_user(), _seen())
    except service.ClosingChangedMeanwhile:
        return _question(wanted, has_changed=True), HTTPStatus.CONFLICT
    flash(presenter.done_message(effect), "ok" if effect.is_other_row else "info")  # type: ignore[arg-type]  # see flash in _macros/ui.html
    return redirect(url_for("standard_closing.index"), HTTPStatus.SEE_OTHER)


def _again(refusal: Refusal) -> str:
    """The form once more, with what was typed and what is wrong with it."""
    user_id = asked_person()
    return _index(refusal) if user_id is None else _person(user_id, refusal)


def _index(refusal: Refusal | None) -> str:
    overview = service.read_overview(as_id(request.args.get("page", "")) or 1)
    search = " ".join(request.args.get("q", "").split())[:100]
    return render_template(
        "standard/closing/index.html",
        overview=overview,
        useful=useful_days(overview.everybody.through, today()),
        search=search,
        found=find_users(search) if search else (),
        today=today(),
        typed=request.args.get("through", ""),
        error=None if refusal is None else code_texts(refusal),
        show=presenter,
    )


def _person(user_id: int, refusal: Refusal | None) -> str:
    everybody, closed = service.read_person(user_id)
    return render_template(
        "standard/closing/person.html",
        everybody=everybody,
        person=closed,
        today=today(),
        mode=request.args.get("mode", ""),
        typed=request.args.get("through", ""),
        error=None if refusal is None else code_texts(refusal),
        show=presenter,
    )


def _question(wanted: Wanted, *, has_changed: bool = False) -> str:
    effect = service.foresee(wanted, _seen())
    return render_template(
        "standard/closing/check.html",
        effect=effect,
        question=presenter.question_of(effect, today()),
        has_changed=has_changed,
        carried={**presenter.address_of(wanted), "seen": effect.seen},
        action=url_for("standard_closing.carry_out", person=wanted.person),
        back=url_for("standard_closing.index")
        if wanted.person is None
        else url_for("standard_closing.person", person=wanted.person),
        show=presenter,
    )


def _wanted() -> Wanted:
    values = request.form if request.method == "POST" else request.args
    return read_wanted(values, asked_person(), today=today())


def _seen() -> Seen:
    times = present_times()
    return Seen(times.calendar, times.today, time_zone())
