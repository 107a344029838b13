"""The pages that import work items from CSV, and the file that they are exported to.

What was read travels packed in the page that asks, so that nothing is kept on the server; it is read, planned and
checked again when it comes back.
"""

import base64
import binascii
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response
from wtforms import FileField, TextAreaField

from app.sdk import (
    Form,
    Refusal,
    answer_http_error,
    code_texts,
    csv_lines,
    flash,
    gettext,
    lazy_gettext,
    ngettext,
    redirect,
    render_template,
    request,
    sentences,
    today,
    url_for,
)
from plugins.standard.work_items import presenter
from plugins.standard.work_items.csv_file import COLUMNS, ROW_LIMIT, TOO_LARGE, Table, decoded, read_table
from plugins.standard.work_items.import_plan import Plan, PlannedItem, RowError
from plugins.standard.work_items.importing import PlanChanged, export_rows, import_table, plan_import, sample_rows
from plugins.standard.work_items.outline import in_state, search
from plugins.standard.work_items.reading import read_outline
from plugins.standard.work_items.views import Answer, asked_search, asked_state, work_items

LISTED = 200
"""So many lines of each kind are shown; the rest is counted."""
_TAKES_FILES = ("standard_work_items.check_import", "standard_work_items.confirm_import")
_LARGEST_TEXT = 4_000_000  # characters; what is unpacked, where a request has a million bytes


class ImportForm(Form):
    """A file, or its text."""

    file = FileField(lazy_gettext("File"))
    text = TextAreaField(lazy_gettext("Text"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, and what becomes of it."""

    number: int
    kind: str
    path: tuple[str, ...]
    notes: tuple[str, ...]


@work_items.get("/import")
def import_form() -> Answer:
    """Where a file is chosen."""
    return _form_page(ImportForm(formdata=None))


@work_items.post("/import")
def check_import() -> Answer:
    """What the file would do; nothing is written."""
    form = ImportForm()
    if not form.validate_on_submit():
        return _form_page(form), 422
    try:
        text = _sent_text(form)
        table = read_table(text)
    except Refusal as error:
        field = form[error.field] if error.field in ("file", "text") else form.text
        field.errors = [*field.errors, code_texts(error)]
        return _form_page(form), error.reason.status
    return _plan_page(text, table, plan_import(table))


@work_items.errorhandler(RequestEntityTooLarge)
def too_large(error: RequestEntityTooLarge) -> Answer:
    """The form again, with what to do: nothing of what was sent has been read, and it is all in the file still."""
    if request.endpoint not in _TAKES_FILES:
        return answer_http_error(error)
    form = ImportForm(formdata=None)
    limit = request.max_content_length or 0
    form.file.errors = [code_texts(Refusal(TOO_LARGE, limit=limit // 1_000_000))]
    return _form_page(form), TOO_LARGE.status


@work_items.post("/import/confirm")
def confirm_import() -> Answer:
    """Import what was shown; where it would do something else by now, show that."""
    text = _unpacked(request.form.get("data", ""))
    if text is None:
        flash(gettext("The page was not sent whole, so nothing was imported. Choose the file again."), "danger")
        return redirect(url_for("standard_work_items.import_form"), code=303)
    try:
        table = read_table(text)
        plan = import_table(table, confirmed=request.form.get("seen", ""))
    except PlanChanged as changed:
        return _plan_page(text, table, changed.plan, is_different=True)
    except Refusal as error:
        flash(presenter.refusal_line(error), "danger")
        return redirect(url_for("standard_work_items.import_form"), code=303)
    flash(_imported(plan), "ok" if plan.items else "info")
    return redirect(url_for("standard_work_items.index"), code=303)


@work_items.get("/import/sample.csv")
def sample() -> Response:
    """A file to begin with."""
    return _csv(sample_rows(), gettext("work-items-sample.csv"))


@work_items.get("/export.csv")
def export() -> Response:
    """What the list shows, in the columns of the import."""
    outline = search(in_state(read_outline(), asked_state()), asked_search())
    return _csv(export_rows(outline), f"work-items-{today():%Y-%m-%d}.csv")


def _csv(rows: Iterable[Sequence[str]], name: str) -> Response:
    return Response(
        csv_lines(COLUMNS, rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _sent_text(form: ImportForm) -> str:
    file = request.files.get("file")
    data = file.read() if file is not None and file.filename else b""
    return decoded(data) if data else form.text.data or ""


def _form_page(form: ImportForm) -> str:
    return render_template("standard/work_items/import.html", form=form, columns=_columns(), limit=ROW_LIMIT)


def _columns() -> Sequence[tuple[str, str]]:
    meanings = (
        gettext("Name of the customer; needed where its code is new."),
        gettext("Its code."),
        gettext("Name of the project; empty for a row about the customer alone."),
        gettext("Its code."),
        gettext("Name of the task; empty for a row about the project alone."),
        gettext("Its code."),
        gettext("yes or no; a new task is billable where nothing is said."),
        gettext("Login names separated by spaces; * lets everybody record hours on the project."),
    )
    return tuple(zip(COLUMNS, meanings, strict=True))


def _plan_page(text: str, table: Table, plan: Plan, *, is_different: bool = False) -> Answer:
    page = render_template(
        "standard/work_items/import_plan.html",
        plan=plan,
        ignored=table.ignored,
        is_different=is_different,
        errors=[_error_line(error) for error in plan.errors[:LISTED]],
        added=[_line(item) for item in plan.added[:LISTED]],
        changed=[_line(item) for item in plan.changed[:LISTED]],
        summary=_summary(plan),
        listed=LISTED,
        data=_packed(text),
        text=text,
    )
    return page, 409 if is_different else 422 if plan.errors else 200


def _error_line(error: RowError) -> Line:
    texts = code_texts(error.refusal)
    return Line(error.line, error.column, (), (sentences(texts.message, texts.remedy), texts.code))


def _line(item: PlannedItem) -> Line:
    notes = []
    if item.before is not None:
        changes = presenter.changes_between(item.before, item.details, {})
        notes += [
            gettext("%(label)s: %(old)s → %(new)s", label=change.label, old=change.old, new=change.new)
            for change in changes
        ]
    elif item.details.code:
        notes.append(item.details.code)
    if item.new_members:
        logins = " ".join(person.login for person in item.new_members)
        notes.append(gettext("New members: %(logins)s", logins=logins))
    return Line(item.line, presenter.kind_title(item.kind), item.path, tuple(notes))


def _summary(plan: Plan) -> str:
    rows = ngettext("%(num)s row read.", "%(num)s rows read.", plan.rows)
    if plan.errors:
        wrong = ngettext("%(num)s row is wrong.", "%(num)s rows are wrong.", plan.wrong_rows)
        return sentences(rows, wrong, gettext("Nothing is imported until all of them are right."))
    if not plan.items:
        return sentences(rows, gettext("Everything in it is there already."))
    added = ngettext("%(num)s work item is added,", "%(num)s work items are added,", len(plan.added))
    changed = ngettext("%(num)s is changed.", "%(num)s are changed.", len(plan.changed))
    return sentences(rows, added, changed)


def _imported(plan: Plan) -> str:
    if not plan.items:
        return gettext("Nothing was changed: everything in the file is there already.")
    added = ngettext("%(num)s work item is added,", "%(num)s work items are added,", len(plan.added))
    changed = ngettext("%(num)s is changed.", "%(num)s are changed.", len(plan.changed))
    return sentences(gettext("The file is imported."), added, changed)


def _packed(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode("utf-8", "replace"), 9)).decode()


def _unpacked(data: str) -> str | None:
    """What ``_packed`` has packed; None for anything else, and for what would grow beyond all measure."""
    try:
        packed = base64.b64decode(data.encode("ascii", "replace"), validate=True)
        unpacking = zlib.decompressobj()
        unpacked = unpacking.decompress(packed, _LARGEST_TEXT)
        return unpacked.decode() if unpacking.eof else None
    except (binascii.Error, zlib.error, UnicodeDecodeError):
        return None
