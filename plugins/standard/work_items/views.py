"""The pages of work items: the list, one customer, project or task, finishing and deleting, members."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.sdk import (
    EditionBlueprint,
    Refusal,
    code_texts,
    flash,
    gettext,
    redirect,
    render_template,
    request,
    url_for,
)
from plugins.standard.access import Role
from plugins.standard.permissions import WORK_ITEMS
from plugins.standard.work_items import members as members_service
from plugins.standard.work_items import presenter, reading, service
from plugins.standard.work_items.forms import FORMS, ItemForm, ProjectForm, chosen_id, write_details
from plugins.standard.work_items.outline import State, count, in_state, page, search
from plugins.standard.work_items.rules import ChangedMeanwhile, Details, Kind, ProjectDetails, TaskDetails, with_present

work_items = EditionBlueprint(
    "standard_work_items",
    "plugins.standard",
    feature="work_items.manage",
    permission=WORK_ITEMS.name,
    url_prefix="/work-items",
)
Answer = str | Response | tuple[str, int]
"""What a view returns."""
_ITEM = "/<any(customer, project, task):kind>/<int(max=9223372036854775807):item_id>"
_MEMBERS = "/project/<int(max=9223372036854775807):item_id>/members"
_LONGEST_SEARCH = 200
_OPENED_TASKS = 60
"""Up to so many tasks on a page are shown at once; beyond, each project shows its own when asked."""


# The list -------------------------------------------------------------------------------------------------------------


@work_items.get("/")
def index() -> Answer:
    """Customers, projects and tasks, filtered and searched."""
    state, text = asked_state(), asked_search()
    outline = reading.read_outline()
    shown = page(search(in_state(outline, state), text), chosen_id(request.args.get("page")))
    return render_template(
        "standard/work_items/index.html",
        state=state,
        search=text,
        page=shown,
        is_empty=not outline,
        counts={each.value: count(outline, each) for each in State},
        opened=bool(text) or shown.tasks <= _OPENED_TASKS,
        link=_link(state, text),
        show=presenter,
    )


def asked_state() -> State:
    """The state that the address asks for."""
    try:
        return State(request.args.get("state", State.ACTIVE))
    except ValueError:
        return State.ACTIVE


def asked_search() -> str:
    """The words that the address looks for."""
    return " ".join(request.args.get("q", "")[:_LONGEST_SEARCH].split())


def _link(state: State, text: str) -> Callable[..., str]:
    """Makes the address of the same list, with something else in it."""
    kept = {"state": "" if state is State.ACTIVE else state.value, "q": text}

    def to(**arguments: Any) -> str:
        given = {name: value for name, value in {**kept, **arguments}.items() if value}
        return url_for("standard_work_items.index", **given)

    return to


# Adding ---------------------------------------------------------------------------------------------------------------


@work_items.get("/<any(customer, project, task):kind>/new")
def new(kind: str) -> Answer:
    """The form for a new customer, project or task."""
    form = FORMS[Kind(kind)](formdata=None)
    parent = _parent(Kind(kind), request.args.get("parent"))
    if isinstance(form, ProjectForm):
        form.show(ProjectDetails(parent.id if parent else 0, "", "", reading.next_colour(), for_everybody=True))
    elif form.kind is Kind.TASK:
        form.show(TaskDetails("", "", billable=True))
    return _new_page(form, parent)


@work_items.post("/<any(customer, project, task):kind>/new")
def add(kind: str) -> Answer:
    """Add it."""
    form = FORMS[Kind(kind)]()
    parent = _parent(form.kind, request.form.get("parent"))
    if isinstance(form, ProjectForm):
        form.offer(reading.active_customers())
    if not form.validate_on_submit():
        return _new_page(form, parent), 422
    try:
        item_id = service.add(form.details(), parent_id=parent.id if parent and form.kind is Kind.TASK else None)
    except Refusal as error:
        _put(form, error)
        return _new_page(form, parent), error.reason.status
    added = gettext("“%(name)s” is added.", name=form.name.data)
    if form.kind is not Kind.TASK or parent is None:
        flash(added, "ok")
        return _to_item(form.kind, item_id)
    again = url_for("standard_work_items.new", kind=Kind.TASK, parent=parent.id)
    label = gettext("Add another task")
    _flash({"text": added, "action_label": label, "action_url": again, "action_method": "get"})
    return _to_item(Kind.PROJECT, parent.id)


def _parent(kind: Kind, text: str | None) -> reading.Place | None:
    """The project of a new task, or the customer that is chosen for a new project."""
    if kind is Kind.CUSTOMER or (kind is Kind.PROJECT and not text):
        return None
    return reading.place_of(Kind.CUSTOMER if kind is Kind.PROJECT else Kind.PROJECT, chosen_id(text))


def _new_page(form: ItemForm, parent: reading.Place | None) -> str:
    if isinstance(form, ProjectForm):
        form.offer(reading.active_customers())
    return render_template("standard/work_items/new.html", form=form, kind=form.kind, parent=parent, show=presenter)


# One item -------------------------------------------------------------------------------------------------------------


@work_items.get(_ITEM)
def show(kind: str, item_id: int) -> Answer:
    """One customer, project or task, to be changed."""
    view = reading.read_item(Kind(kind), item_id)
    form = FORMS[view.kind](formdata=None)
    form.show(view.details)
    form.seen.data = write_details(view.details)
    return _item_page(view, form)


@work_items.post(_ITEM)
def change(kind: str, item_id: int) -> Answer:
    """Change it; where somebody else has changed the same, show both."""
    view = reading.read_item(Kind(kind), item_id)
    form = FORMS[view.kind]()
    if isinstance(form, ProjectForm):
        form.offer(_customers_for(view))
    seen = form.seen_details()
    if not form.validate_on_submit() or seen is None:
        return _item_page(view, form), 422
    try:
        changed = service.change(view.kind, item_id, form.details(), seen=seen)
    except ChangedMeanwhile as error:
        return _conflict_page(view, form, seen, error), error.reason.status
    except Refusal as error:
        _put(form, error)
        return _item_page(view, form), error.reason.status
    if changed:
        flash(gettext("The changes are saved."), "ok")
    else:
        flash(gettext("Nothing was changed."), "info")
    return _to_item(view.kind, item_id)


def _conflict_page(view: reading.ItemView, form: ItemForm, seen: Details, error: ChangedMeanwhile) -> str:
    shown = FORMS[view.kind](formdata=None)
    shown.show(with_present(seen, form.details(), error.present))  # type: ignore[type-var]  # all are of one kind
    shown.seen.data = write_details(error.present)
    _put(shown, error)
    view = reading.read_item(view.kind, view.id)
    customers = {place.id: place.name for place in _customers_for(view)}
    return _item_page(view, shown, presenter.changes_between(seen, error.present, customers))


def _customers_for(view: reading.ItemView) -> tuple[reading.Place, ...]:
    """The customers that a project can have: those that are active, and the one that it has."""
    active = reading.active_customers()
    own = view.above[0]
    return active if own.id in {place.id for place in active} else (own, *active)


def _item_page(view: reading.ItemView, form: ItemForm, changes: tuple[presenter.FieldChange, ...] = ()) -> str:
    if isinstance(form, ProjectForm):
        form.offer(_customers_for(view))
    return render_template(
        "standard/work_items/item.html",
        view=view,
        form=form,
        changes=changes,
        below=_below(view),
        cannot_delete=_deletion_texts(view),
        show=presenter,
    )


def _below(view: reading.ItemView) -> Any:
    """The part of the tree below a customer or project, finished things included; None for a task."""
    if view.kind is Kind.TASK:
        return None
    for customer in reading.read_outline():
        if view.kind is Kind.CUSTOMER and customer.id == view.id:
            return customer
        for project in customer.projects:
            if view.kind is Kind.PROJECT and project.id == view.id:
                return replace(customer, projects=(project,))
    return None


def _deletion_texts(view: reading.ItemView) -> Any:
    refusal = service.deletion_refusal(view)
    return code_texts(refusal) if refusal is not None else None


def _to_item(kind: Kind, item_id: int) -> Response:
    return redirect(url_for("standard_work_items.show", kind=kind, item_id=item_id), code=303)


def _put(form: ItemForm, error: Refusal) -> None:
    """Show a refusal at its field, else above the form."""
    texts = code_texts(error)
    if error.field in form.data:
        form[error.field].errors = [*form[error.field].errors, texts]
    else:
        form.form_errors.append(texts)


def _flash(message: dict[str, str], category: str = "ok") -> None:
    flash(message, category)  # type: ignore[arg-type]  # Flask stores what JSON can hold; the macro takes a mapping


# Finishing and deleting -----------------------------------------------------------------------------------------------


@work_items.get(f"{_ITEM}/finish")
def ask_to_finish(kind: str, item_id: int) -> Answer:
    """What finishing would do, with numbers."""
    view = reading.read_item(Kind(kind), item_id)
    if not view.active:
        return _to_item(view.kind, item_id)
    return _question_page(view, presenter.finish_question(view), danger=False)


@work_items.post(f"{_ITEM}/finish")
def finish(kind: str, item_id: int) -> Answer:
    """Take no new hours, with an Undo."""
    view = reading.read_item(Kind(kind), item_id)
    service.finish(view.kind, item_id)
    _flash(presenter.finished_message(view))
    return _to_item(view.kind, item_id)


@work_items.post(f"{_ITEM}/reopen")
def reopen(kind: str, item_id: int) -> Answer:
    """Take hours again."""
    view = reading.read_item(Kind(kind), item_id)
    service.reopen(view.kind, item_id)
    flash(presenter.reopened_message(view), "ok")
    return _to_item(view.kind, item_id)


@work_items.get(f"{_ITEM}/delete")
def ask_to_delete(kind: str, item_id: int) -> Answer:
    """What deleting would do, or why it cannot be."""
    view = reading.read_item(Kind(kind), item_id)
    refusal = service.deletion_refusal(view)
    if refusal is not None:
        flash(presenter.refusal_line(refusal), "danger")
        return _to_item(view.kind, item_id)
    return _question_page(view, presenter.deletion_question(view), danger=True)


@work_items.post(f"{_ITEM}/delete")
def delete(kind: str, item_id: int) -> Answer:
    """Delete what has no hours."""
    try:
        view = service.remove(Kind(kind), item_id)
    except Refusal as error:
        if error.reason.status == NotFound.code:
            raise
        flash(presenter.refusal_line(error), "danger")
        return _to_item(Kind(kind), item_id)
    flash(gettext("“%(name)s” is deleted.", name=view.name), "ok")
    if not view.above:
        return redirect(url_for("standard_work_items.index"), code=303)
    return _to_item(Kind.PROJECT if view.kind is Kind.TASK else Kind.CUSTOMER, view.above[-1].id)


def _question_page(view: reading.ItemView, question: presenter.Question, *, danger: bool) -> str:
    return render_template(
        "standard/work_items/question.html", view=view, question=question, danger=danger, show=presenter
    )


# Members --------------------------------------------------------------------------------------------------------------


@work_items.get(_MEMBERS)
def members(item_id: int) -> Answer:
    """Who works on a project, and a search for others."""
    view = reading.read_item(Kind.PROJECT, item_id)
    named = members_service.read_members(item_id)
    text = asked_search()
    pages = max(1, -(-len(named) // members_service.PAGE_SIZE))
    number = min(max(chosen_id(request.args.get("page")), 1), pages)
    first = (number - 1) * members_service.PAGE_SIZE
    return render_template(
        "standard/work_items/members.html",
        view=view,
        members=named[first : first + members_service.PAGE_SIZE],
        first=first,
        total=len(named),
        number=number,
        pages=pages,
        search=text,
        found=members_service.people_to_add(text, named),
        roles=[(role, gettext(title)) for role, title in members_service.ROLE_TITLES.items()],
        meanings=[
            (gettext(title), gettext(members_service.ROLE_MEANINGS[role]))
            for role, title in members_service.ROLE_TITLES.items()
        ],
        show=presenter,
    )


@work_items.post(_MEMBERS)
def put_member(item_id: int) -> Answer:
    """Name somebody, or change a role."""
    role = _role(request.values.get("role"))
    if role is None:
        flash(gettext("Choose a role of the list."), "danger")
        return _to_members(item_id)
    user_id, seen = chosen_id(request.values.get("user")), _role(request.values.get("seen"))
    try:
        person = members_service.put(item_id, user_id, role, seen=seen)
    except Refusal as error:
        return _refused(item_id, error)
    title = gettext(members_service.ROLE_TITLES[role])
    flash(gettext("%(name)s is in the project as: %(role)s.", name=person.name, role=title), "ok")
    return _to_members(item_id)


@work_items.post(f"{_MEMBERS}/remove")
def remove_member(item_id: int) -> Answer:
    """Name somebody no more, with an Undo."""
    user_id = chosen_id(request.form.get("user"))
    removed = members_service.take_off(item_id, user_id)
    if removed is None:
        flash(gettext("Nothing was changed."), "info")
        return _to_members(item_id)
    person, role = removed
    _flash(
        {
            "text": gettext("%(name)s is removed from the project. Hours that are recorded stay.", name=person.name),
            "action_label": gettext("Undo"),
            "action_url": url_for("standard_work_items.put_member", item_id=item_id, user=user_id, role=role),
            "action_method": "post",
        }
    )
    return _to_members(item_id)


def _role(text: str | None) -> Role | None:
    try:
        return Role(text) if text else None
    except ValueError:
        return None


def _refused(item_id: int, error: Refusal) -> Response:
    if error.reason.status == NotFound.code:
        raise error
    flash(presenter.refusal_line(error), "danger")
    return _to_members(item_id)


def _to_members(item_id: int) -> Response:
    text = " ".join(request.form.get("q", "")[:_LONGEST_SEARCH].split())
    return redirect(url_for("standard_work_items.members", item_id=item_id, q=text or None), code=303)
