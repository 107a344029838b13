"""The timer: in the bar of every page, and on a page of its own."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus

from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response

from app.sdk import (
    Refusal,
    code_texts,
    current_user,
    flash,
    gettext,
    now,
    redirect,
    render_template,
    request,
    safe_next,
    sentences,
    time_zone,
    today,
    url_for,
)
from plugins.standard.access import own_sheet
from plugins.standard.entries import Cell, CellsRefused
from plugins.standard.timer.blueprint import pages
from plugins.standard.timer.presenter import (
    Typed,
    present_timer,
    problems_of,
    since_text,
    started_text,
    stopped_text,
)
from plugins.standard.timer.rules import LONGEST, RUNS_FOR_LONG, TIMER_GONE, Moment, read_moment
from plugins.standard.timer.service import (
    Details,
    change_timer,
    discard_timer,
    running_timer,
    start_timer,
    stop_timer,
)
from plugins.standard.timesheet.asked import as_id, asked_words
from plugins.standard.timesheet.day_service import choosable_tasks
from plugins.standard.timesheet.service import find_tasks, suggested_tasks
from plugins.standard.timesheet.typed import plain_memo

Answer = tuple[str, int]
_OFFERED_IN_BAR = 6


# In the bar ---------------------------------------------------------------------------------------------------------


def bar() -> str:
    """The timer in the bar of every page; one statement."""
    return _bar(_this_page())


@pages.get("/bar")
def bar_alone() -> str:
    """The same by itself, for a tab that comes back into view: ``?next=`` is the page that it is on."""
    return _bar(safe_next(request.args.get("next")))


def _bar(back: str) -> str:
    running = running_timer(current_user())
    return render_template(
        "standard/timer/_bar.html",
        running=running,
        since=since_text(running, time_zone()) if running else "",
        back=back,
    )


@pages.get("/offers")
def offers() -> str:
    """A few tasks to start in one press: a part of a page, which the script puts into the bar when it is opened."""
    user, running = current_user(), running_timer(current_user())
    present = set() if running is None else {running.task.id}
    tasks = suggested_tasks(own_sheet(user), present, today())[:_OFFERED_IN_BAR]
    return render_template(
        "standard/timer/_offers.html", tasks=tasks, running=running, back=safe_next(request.args.get("next"))
    )


def _this_page() -> str:
    """The address that a press in the bar leads back to; none where this one answers a form."""
    if request.method != "GET":
        return ""
    return iri_to_uri(f"{request.script_root}{request.full_path.rstrip('?')}")


# The page -----------------------------------------------------------------------------------------------------------


@pages.get("/")
def index() -> Answer:
    """The timer that runs, and tasks to start it on; searched for with ``?q=``."""
    return _page(Typed())


@pages.post("/")
def act() -> Response | Answer:
    """Do what the pressed button says: ``start-12``, ``stop``, ``end`` at a chosen time, ``change``."""
    name, _, task = request.form.get("action", "").partition("-")
    match name:
        case "start":
            return _start(as_id(task) or 0)
        case "stop":
            return _stop()
        case "end":
            return _end()
        case "change":
            return _change()
        case _:
            return redirect(url_for("standard_timer.index"), HTTPStatus.SEE_OTHER)


@pages.get("/discard")
def ask_to_discard() -> str | Response:
    """Ask before the timer ends and nothing is recorded."""
    running = running_timer(current_user())
    if running is None:
        return redirect(url_for("standard_timer.index"))
    return render_template("standard/timer/discard.html", running=running, since=since_text(running, time_zone()))


@pages.post("/discard")
def discard() -> Response:
    """Discard it."""
    try:
        discarded = discard_timer(current_user(), _seen())
    except Refusal as refusal:
        return _told(refusal)
    flash(gettext("The timer on %(task)s was discarded; nothing was recorded.", task=discarded.task.name))
    return _back()


def _start(task_id: int) -> Response | Answer:
    typed = Typed(start_memo=plain_memo(request.form.get("memo", "")))

    def start() -> str:
        return started_text(start_timer(current_user(), task_id, typed.start_memo, time_zone()))

    return _done(start, typed, form="start")


def _stop() -> Response | Answer:
    def stop() -> str:
        return stopped_text(stop_timer(current_user(), _seen(), time_zone()))

    return _done(stop, Typed(), form="end")


def _end() -> Response | Answer:
    moment = _typed_moment("end")

    def end() -> str:
        ended_at = read_moment(moment, time_zone(), at=now())
        return stopped_text(stop_timer(current_user(), _seen(), time_zone(), ended_at=ended_at))

    return _done(end, Typed(ended=moment), form="end")


def _change() -> Response | Answer:
    task_id, memo = as_id(request.form.get("task", "")) or 0, plain_memo(request.form.get("memo", ""))
    moment = _typed_moment("start")

    def change() -> str:
        change_timer(current_user(), _seen(), Details(task_id, read_moment(moment, time_zone(), at=now()), memo))
        return gettext("The timer was changed.")

    return _done(change, Typed(task_id=task_id, memo=memo, started=moment), form="change")


def _done(do: Callable[[], str], typed: Typed, *, form: str) -> Response | Answer:
    """Do it and tell it where the person was; refused, the page of the timer with what was typed and what to do."""
    try:
        told = do()
    except CellsRefused as refused:
        return _page(typed, refused.refusals, HTTPStatus.CONFLICT)
    except Refusal as refusal:
        return _refused(refusal, typed, form=form)
    flash(told)
    return _back()


def _refused(refusal: Refusal, typed: Typed, *, form: str) -> Response | Answer:
    """The page once more with what was typed; what another tab has done is told where the person was."""
    if refusal.reason is TIMER_GONE:
        return _told(refusal)
    name = form if refusal.field is None else f"{form}.{refusal.field}"
    # That it runs for long is what the page itself says above its forms.
    errors = {} if refusal.reason is RUNS_FOR_LONG else {name: refusal}
    return _page(replace(typed, errors=errors), status=HTTPStatus(refusal.reason.status))


def _told(refusal: Refusal) -> Response:
    texts = code_texts(refusal)
    flash(sentences(texts.message, texts.remedy), "warn")
    return _back()


def _back() -> Response:
    return redirect(safe_next(request.form.get("next")), HTTPStatus.SEE_OTHER)


def _seen() -> str:
    """Which timer the page showed whose button was pressed."""
    return request.form.get("timer", "")


def _typed_moment(name: str) -> Moment:
    return Moment(request.form.get(f"{name}-day", ""), request.form.get(f"{name}-time", ""))


def _page(typed: Typed, refusals: Mapping[Cell, Refusal] | None = None, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    user, running = current_user(), running_timer(current_user())
    words = asked_words()
    sheet, found = find_tasks(user, None, words, today())
    page = render_template(
        "standard/timer/index.html",
        timer=present_timer(running, time_zone(), typed) if running else None,
        choices=choosable_tasks(sheet, [running.task.id]) if running else (),
        problems=problems_of(refusals or {}),
        found=found,
        words=words,
        start_memo=typed.start_memo,
        start_errors=[code_texts(refusal) for name, refusal in typed.errors.items() if name.startswith("start")],
        earliest=(today() - LONGEST).isoformat(),
        latest=today().isoformat(),
    )
    return page, status
