"""A browser on the time sheet: fills the form as the page sent it, and reads what is in its cells."""

from datetime import date, timedelta
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.sdk import read_connection
from plugins.standard.models import Entry
from plugins.standard.tests.company import THURSDAY, Company

WEEK = "2026-W48"
MONDAY = THURSDAY - timedelta(days=3)


class _Fields(HTMLParser):
    """The fields of the form of a page, by their names; and what stands in an element of a kind."""

    def __init__(self, form: str) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self._form = form
        self._inside = False
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("id") == self._form
        if not self._inside:
            return
        if tag == "input" and given.get("type") not in ("radio", "checkbox", "search"):
            self.values[given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._area = given["name"]
            self.values[self._area] = ""
        elif tag == "select":
            self._select = given["name"]
            self.values[self._select] = ""
        elif tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.values[self._area] += data


def fields_of(page: str, form: str = "sheet") -> dict[str, str]:
    """The fields of one form as a browser would send them back."""
    found = _Fields(form)
    found.feed(page)
    return found.values


class Tab:
    """One tab with the sheet of a week open: what it shows stays what it was loaded with."""

    def __init__(self, client: FlaskClient, *, week: str = WEEK, person: int | None = None) -> None:
        self.client = client
        self.query: dict[str, Any] = {"week": week} | ({} if person is None else {"person": person})
        self.load()

    def load(self) -> TestResponse:
        """Load the page anew."""
        answer = self.client.get("/timesheet/", query_string=self.query)
        self.page = answer.text
        self.fields = fields_of(self.page)
        return answer

    def type(self, task: int, day: date, text: str, memo: str | None = None) -> "Tab":
        """Type into a cell."""
        assert f"h-{task}-{day}" in self.fields, "there is no such cell, or it cannot be changed"
        self.fields[f"h-{task}-{day}"] = text
        if memo is not None:
            self.fields[f"m-{task}-{day}"] = memo
        return self

    @property
    def typed(self) -> dict[str, str]:
        """All fields but the token, which tells the second in which the page was made."""
        return {name: value for name, value in self.fields.items() if name != "csrf_token"}

    def shows(self, task: int, day: date) -> str:
        """What stands in a cell."""
        return self.fields[f"h-{task}-{day}"]

    def press(self, action: str = "save", **more: str) -> TestResponse:
        """Press a button, and look at the page that answers; where it leads on, follow."""
        data = {**self.fields, "action": action, **more}
        answer = self.client.post("/timesheet/", query_string=self.query, data=data)
        if answer.status_code == 303:
            self.load()
        else:
            self.page = answer.text
            self.fields = fields_of(self.page) or self.fields
        return answer

    def with_row(self, *tasks: int) -> "Tab":
        """Put tasks on the sheet."""
        for task in tasks:
            assert self.press(f"add-{task}").status_code == 303
        return self


def entries(office: Company) -> dict[tuple[int, date], tuple[int, str]]:
    """Minutes and memo of every entry, by task and day."""
    with office.app.app_context(), read_connection() as connection:
        rows = connection.execute(select(Entry.task_id, Entry.day, Entry.minutes, Entry.memo))
        return {(row.task_id, row.day): (row.minutes, row.memo) for row in rows}
