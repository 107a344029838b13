"""Work items as managers meet them, on both engines."""

import html
import io
import re
from collections.abc import Callable
from contextvars import Context
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from app.auth.models import UserPermission
from app.sdk import read_connection, users, write_transaction
from plugins.standard.entries import CellChange, save_cells
from plugins.standard.models import Customer, Favourite, Project, ProjectMember, RunningTimer, SheetRow, Task
from plugins.standard.tests.company import THURSDAY, Company
from tests.conftest import MEMBER, csrf_token, log_in

BASE = "/work-items"
_T = TypeVar("_T")


def outside(function: Callable[..., _T], *args: object, **kwargs: object) -> _T:
    """Call without the application context that the company stands in: each request has one of its own."""
    return Context().run(function, *args, **kwargs)


class Manager:
    """A browser of somebody who looks after work items."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = outside(csrf_token, client, "/account")

    def get(self, path: str, **query: str) -> TestResponse:
        return outside(self.client.get, f"{BASE}{path}", query_string=query)

    def post(self, path: str, **data: object) -> TestResponse:
        return outside(self.client.post, f"{BASE}{path}", data={"csrf_token": self.token, **data})

    def fields(self, path: str) -> dict[str, str]:
        """What the form of a page holds: text fields, and what is chosen and ticked."""
        page = self.get(path).text
        inputs = re.findall(r"<input ([^>]*)>", page)
        values = {}
        for attributes in inputs:
            names = dict(re.findall(r'(\w+)="([^"]*)"', attributes))
            is_off = names.get("type") in ("radio", "checkbox") and "checked" not in attributes.split()
            if "name" in names and not is_off and names["name"] != "csrf_token":
                values[names["name"]] = html.unescape(names.get("value", ""))
        for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
            chosen = re.search(r'<option selected value="([^"]*)"', options)
            values[name] = chosen[1] if chosen else ""
        return values

    def said(self) -> str:
        """What the next page says has happened."""
        return html.unescape(" ".join(re.findall(r'<div class="rx-flash .*?</div>', self.get("/").text, re.DOTALL)))


@pytest.fixture
def manager(company: Company) -> Manager:
    """The member, with the permission, in the company of the tests."""
    give(company.app, "standard.work_items")
    client = company.app.test_client()
    outside(log_in, client, MEMBER)
    return Manager(client)


def give(app: Flask, permission: str) -> None:
    with app.app_context(), write_transaction() as session:
        user_id = session.execute(select(users.c.id).where(users.c.login == MEMBER)).scalar_one()
        session.execute(insert(UserPermission).values(user_id=user_id, permission=permission))


def rows(*columns: object) -> list[tuple[object, ...]]:
    with read_connection() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def record(company: Company, task: str = "drawing", minutes: int = 90) -> None:
    save_cells(company.writer, [CellChange(company.tasks[task], THURSDAY, minutes, "", 0)])


def customer_id() -> int:
    return int(str(rows(Customer.id)[0][0]))


# Who may --------------------------------------------------------------------------------------------------------------


def test_whoever_lacks_the_permission_is_refused_everywhere(member_client: FlaskClient, company: Company) -> None:
    manager = Manager(member_client)
    project = company.projects["press"]
    pages = ["/", "/customer/new", f"/project/{project}", f"/project/{project}/members", "/import", "/export.csv"]
    assert {path: manager.get(path).status_code for path in pages} == dict.fromkeys(pages, 403)
    posts = [
        "/customer/new",
        f"/project/{project}",
        f"/project/{project}/finish",
        f"/project/{project}/delete",
        f"/project/{project}/members",
        "/import",
        "/import/confirm",
    ]
    assert {path: manager.post(path).status_code for path in posts} == dict.fromkeys(posts, 403)
    assert "/work-items/" not in outside(member_client.get, "/account").text


def test_administrators_hold_the_permission(admin_client: FlaskClient) -> None:
    assert admin_client.get(f"{BASE}/").status_code == 200


# The list -------------------------------------------------------------------------------------------------------------


def test_the_list_shows_the_tree_with_its_counts(manager: Manager) -> None:
    page = manager.get("/").text
    assert "1 customer, 2 projects, 3 tasks" in page
    for name in ("Kitamura Precision", "Press", "Others", "Drawing", "Review", "Of others"):
        assert f">{name}</a>" in page
    assert ">Finished</a>" not in page


def test_finished_things_stand_on_a_tab_of_their_own(manager: Manager) -> None:
    page = manager.get("/", state="finished").text
    assert "0 customers, 0 projects, 1 task" in page
    assert ">Finished</a>" in page
    assert ">Drawing</a>" not in page


def test_a_search_finds_words_of_all_levels_in_any_width(manager: Manager) -> None:
    page = manager.get("/", q="ｋｉｔａｍｕｒａ draw").text
    assert ">Drawing</a>" in page
    assert ">Review</a>" not in page
    assert "Nothing found" in manager.get("/", q="kitamura nothing").text


def test_an_empty_installation_offers_one_thing_to_do(licensed_app: Flask) -> None:
    give(licensed_app, "standard.work_items")
    client = licensed_app.test_client()
    log_in(client, MEMBER)
    page = client.get(f"{BASE}/").text
    assert page.count("Add customer") == 1
    assert "No work items yet" in page


def test_many_projects_are_cut_into_pages(manager: Manager, company: Company) -> None:
    values = {"customer_id": customer_id(), "code": "", "colour": "red", "active": True, "for_everybody": True}
    with write_transaction() as session:
        session.execute(insert(Project), [{**values, "name": f"Project {number:02}"} for number in range(40)])
    first, second = manager.get("/").text, manager.get("/", page="2").text
    assert "1–25 of 42" in first
    assert "26–42 of 42" in second
    assert "Project 00" in first
    assert "Project 39" in second
    assert manager.get("/", page="99").status_code == 200
    assert company.tasks


# Adding and changing --------------------------------------------------------------------------------------------------


def test_a_customer_a_project_and_a_task_are_added(manager: Manager, company: Company) -> None:
    assert manager.post("/customer/new", name="  Ueda   Foods ", code="UED").status_code == 303
    customer = rows(Customer.id, Customer.name, Customer.code)[-1]
    assert customer[1:] == ("Ueda Foods", "UED")
    project = manager.post(
        "/project/new", name="Cold store", code="", customer_id=customer[0], colour="teal", open_to="members"
    )
    assert project.status_code == 303
    added = rows(Project.id, Project.name, Project.colour, Project.for_everybody)[-1]
    assert added[1:] == ("Cold store", "teal", False)
    answer = manager.post("/task/new", name="Design", code="", parent=added[0])
    assert answer.headers["Location"] == f"{BASE}/project/{added[0]}"
    assert "Add another task" in manager.said()
    assert rows(Task.name, Task.billable)[-1] == ("Design", False)
    assert [entry.target for entry in company.audited("work_item.add")] == ["Ueda Foods", "Cold store", "Design"]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("", "", "Fill in this field."),
        ("x" * 201, "", "Type at most 200 characters."),
        ("Ueda", "x" * 33, "Type at most 32 characters."),
        ("a\u0000b", "", "work_item_name_invalid"),
        ("ＫＩＴＡＭＵＲＡ precision", "", "work_item_name_taken"),
        ("Ueda", "ｋｉｔ", "work_item_code_taken"),
    ],
)
def test_what_cannot_be_called_so_is_said_at_the_field_and_stays(
    manager: Manager, name: str, code: str, said: str
) -> None:
    answer = manager.post("/customer/new", name=name, code=code)
    assert answer.status_code in (409, 422)
    assert said in answer.text
    if "\u0000" not in name:
        assert f'value="{name}"' in answer.text
        assert f'value="{code}"' in answer.text
    assert len(rows(Customer.id)) == 1


def test_names_are_unique_among_siblings_and_codes_on_their_level(manager: Manager, company: Company) -> None:
    press, others = company.projects["press"], company.projects["others"]
    assert "work_item_name_taken" in manager.post("/task/new", name="DRAWING", parent=press).text
    assert manager.post("/task/new", name="Drawing", parent=others).status_code == 303
    assert "work_item_code_taken" in manager.post("/task/new", name="Test", code="rx-0", parent=others).text


def test_nothing_is_added_to_what_is_finished(manager: Manager, company: Company) -> None:
    press = company.projects["press"]
    manager.post(f"/project/{press}/finish")
    assert "work_item_parent_finished" in manager.post("/task/new", name="Late", parent=press).text
    manager.post(f"/customer/{customer_id()}/finish")
    values = {"name": "Late", "customer_id": customer_id(), "colour": "red", "open_to": "everybody"}
    assert manager.post("/project/new", **values).status_code == 422
    assert "Late" not in {row[0] for row in rows(Project.name)}


@pytest.mark.parametrize("colour", ["", "ultraviolet"])
def test_a_colour_out_of_no_palette_is_refused(manager: Manager, colour: str) -> None:
    values = {"name": "New", "customer_id": customer_id(), "colour": colour, "open_to": "everybody"}
    assert manager.post("/project/new", **values).status_code == 422


def test_a_change_is_saved_and_audited(manager: Manager, company: Company) -> None:
    path = f"/project/{company.projects['press']}"
    fields = manager.fields(path)
    assert fields["name"] == "Press"
    assert manager.post(path, **{**fields, "name": "Press line", "colour": "amber"}).status_code == 303
    (entry,) = company.audited("work_item.change")
    assert (entry.before, entry.after) == (
        {"name": "Press", "colour": "blue"},
        {"name": "Press line", "colour": "amber"},
    )
    manager.post(path, **manager.fields(path))
    assert "Nothing was changed." in manager.said()


def test_two_who_change_different_things_both_get_them(manager: Manager, company: Company) -> None:
    path = f"/project/{company.projects['press']}"
    seen = manager.fields(path)
    manager.post(path, **{**seen, "name": "Press line"})
    assert manager.post(path, **{**seen, "colour": "red"}).status_code == 303
    changed = rows(Project.name, Project.colour, Project.id)
    assert ("Press line", "red", company.projects["press"]) in changed


def test_whoever_changes_the_same_later_is_told_and_loses_nothing(manager: Manager, company: Company) -> None:
    path = f"/task/{company.tasks['drawing']}"
    seen = manager.fields(path)
    manager.post(path, **{**seen, "name": "First"})
    answer = manager.post(path, **{**seen, "name": "Second", "code": "NEW"})
    assert answer.status_code == 409
    assert "work_item_changed_meanwhile" in answer.text
    assert 'value="Second"' in answer.text
    assert "First" in answer.text
    assert ("First",) in rows(Task.name)
    again = html.unescape(re.findall(r'name="seen" value="([^"]*)"', answer.text)[0])
    assert manager.post(path, **{**seen, "name": "Second", "code": "NEW", "seen": again}).status_code == 303
    assert ("Second", "NEW") in rows(Task.name, Task.code)


@pytest.mark.parametrize("seen", ["", "{", "[]", '{"code": 1, "name": "x", "billable": true}', '{"name": "x"}'])
def test_a_page_that_says_nothing_readable_of_what_it_showed_saves_nothing(
    manager: Manager, company: Company, seen: str
) -> None:
    path = f"/task/{company.tasks['drawing']}"
    assert manager.post(path, name="Other", seen=seen).status_code == 422
    assert ("Drawing",) in rows(Task.name)


@pytest.mark.parametrize("path", ["/task/999", "/project/999/members", "/customer/999/finish", "/task/new"])
def test_what_is_not_there_is_not_found(manager: Manager, path: str) -> None:
    assert manager.get(path).status_code == 404


# Finishing and deleting -----------------------------------------------------------------------------------------------


def test_finishing_says_what_it_does_first(manager: Manager, company: Company) -> None:
    record(company)
    page = html.unescape(manager.get(f"/customer/{customer_id()}/finish").text)
    assert "Nobody can record new hours on its 2 projects with 3 tasks" in page
    assert "The 1:30 hours that are recorded stay" in page


def test_what_is_finished_takes_no_hours_until_it_is_reopened(manager: Manager, company: Company) -> None:
    path = f"/project/{company.projects['press']}"
    assert manager.post(f"{path}/finish").status_code == 303
    assert "is finished" in manager.said()
    with pytest.raises(Exception, match="task_not_recordable"):
        record(company)
    manager.post(f"{path}/reopen")
    record(company)
    assert [len(company.audited(f"work_item.{verb}")) for verb in ("finish", "reopen")] == [1, 1]
    manager.post(f"{path}/reopen")
    assert len(company.audited("work_item.reopen")) == 1


def test_what_has_hours_is_not_deleted(manager: Manager, company: Company) -> None:
    record(company)
    for path in (f"/task/{company.tasks['drawing']}", f"/project/{company.projects['press']}"):
        assert manager.post(f"{path}/delete").status_code == 303
        assert "1:30 hours are recorded on it" in manager.said()
        assert "Finish it instead" in manager.get(path).text
    assert company.tasks["drawing"] in {row[0] for row in rows(Task.id)}


def test_what_a_timer_runs_on_is_not_deleted(manager: Manager, company: Company) -> None:
    task = company.tasks["drawing"]
    with write_transaction() as session:
        at = datetime.now(UTC)
        session.add(RunningTimer(user_id=company.writer.user_id, task_id=task, memo="", started_at=at))
    manager.post(f"/task/{task}/delete")
    assert "A timer is running on it" in manager.said()


def test_what_has_no_hours_is_deleted_with_all_below_it(manager: Manager, company: Company) -> None:
    person = company.writer.user_id
    with write_transaction() as session:
        session.add(Favourite(user_id=person, task_id=company.tasks["drawing"]))
        session.add(SheetRow(user_id=person, thursday=THURSDAY, task_id=company.tasks["drawing"]))
        session.add(ProjectMember(project_id=company.projects["press"], user_id=person, role="member"))
    assert "Its 2 projects and 4 tasks are deleted with it." in manager.get(f"/customer/{customer_id()}/delete").text
    manager.post(f"/customer/{customer_id()}/delete")
    assert [rows(table.name) for table in (Customer, Project, Task)] == [[], [], []]
    (entry,) = company.audited("work_item.delete")
    assert entry.target == "Kitamura Precision"


# Members --------------------------------------------------------------------------------------------------------------


def test_members_are_found_added_changed_and_removed(manager: Manager, company: Company) -> None:
    path = f"/project/{company.projects['others']}/members"
    person = company.writer.user_id
    assert "Mio Sakai" in manager.get(path, q="sakai").text
    assert manager.post(path, user=person, role="reader").status_code == 303
    assert rows(ProjectMember.user_id, ProjectMember.role) == [(person, "reader")]
    assert "No registered user" in manager.get(path, q="sakai").text
    manager.post(path, user=person, role="corrector", seen="reader")
    assert rows(ProjectMember.role) == [("corrector",)]
    manager.post(f"{path}/remove", user=person)
    assert "Undo" in manager.said()
    assert rows(ProjectMember.role) == []
    assert [(entry.before, entry.after) for entry in company.audited("work_item.members")] == [
        ({MEMBER: ""}, {MEMBER: "reader"}),
        ({MEMBER: "reader"}, {MEMBER: "corrector"}),
        ({MEMBER: "corrector"}, {MEMBER: ""}),
    ]


def test_a_role_that_somebody_else_has_changed_is_told(manager: Manager, company: Company) -> None:
    path = f"/project/{company.projects['others']}/members"
    manager.post(path, user=company.writer.user_id, role="reader")
    manager.post(path, user=company.writer.user_id, role="corrector", seen="member")
    assert "Somebody else has changed the role" in manager.said()
    assert rows(ProjectMember.role) == [("reader",)]


@pytest.mark.parametrize(("user", "role"), [("999", "member"), ("x", "member"), ("1", "owner"), ("1", "")])
def test_nobody_is_named_by_nonsense(manager: Manager, company: Company, user: str, role: str) -> None:
    manager.post(f"/project/{company.projects['others']}/members", user=user, role=role)
    assert rows(ProjectMember.role) == []


# Import and export ----------------------------------------------------------------------------------------------------

CSV = "customer,customer_code,project,task,task_code,billable,members\n北村精機,KTM,金型,設計,D-1,no,m.sakai\n"


def confirm(manager: Manager, page: str) -> TestResponse:
    values = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("data", "seen")}
    return manager.post("/import/confirm", **values)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_file_is_shown_first_and_then_imported_once(manager: Manager, company: Company, encoding: str) -> None:
    data = CSV.encode(encoding)
    page = manager.post("/import", file=(io.BytesIO(data), "items.csv"))
    assert page.status_code == 200
    assert "3 work items are added," in page.text
    assert len(rows(Customer.id)) == 1
    assert confirm(manager, page.text).status_code == 303
    assert ("北村精機", "KTM") in rows(Customer.name, Customer.code)
    assert ("設計", "D-1", False) in rows(Task.name, Task.code, Task.billable)
    assert rows(ProjectMember.role) == [("member",)]
    again = manager.post("/import", text=CSV)
    assert "Everything in it is there already." in again.text
    assert len(company.audited("work_item.import")) == 1


def test_rows_that_are_wrong_are_named_and_nothing_is_written(manager: Manager) -> None:
    text = "customer;project;task;billable;members\nUeda;Cold;Design;perhaps;\nUeda;Cold;Build;;nobody.here\n"
    page = manager.post("/import", text=text)
    assert page.status_code == 422
    assert "import_not_yes_or_no" in page.text
    assert "import_login_unknown" in page.text
    assert "Ueda;Cold;Design;perhaps;" in page.text
    assert len(rows(Customer.id)) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "import_empty"),
        ("customer\n", "import_empty"),
        ("a,b\n1,2\n", "import_columns_unknown"),
        ("customer,customer\nA,B\n", "import_column_twice"),
        ('customer\n"A\n', "import_not_csv"),
        ("customer\n" + "A\n" * 5001, "import_too_long"),
    ],
)
def test_a_text_that_is_no_table_is_refused_and_stays(manager: Manager, text: str, code: str) -> None:
    page = manager.post("/import", text=text)
    assert page.status_code == 422
    assert code in page.text


def test_a_file_that_is_no_text_is_refused(manager: Manager) -> None:
    page = manager.post("/import", file=(io.BytesIO(b"\x89PNG\r\n\x1a\n\0\0"), "items.csv"))
    assert page.status_code == 422
    assert "import_not_text" in page.text


def test_what_is_larger_than_a_request_may_be_is_told_at_the_file(manager: Manager) -> None:
    body, kind = b"-" * 1_000_001, "multipart/form-data; boundary=-"  # nothing of it is read
    page = outside(manager.client.post, f"{BASE}/import", data=body, content_type=kind)
    assert page.status_code == 413
    assert "What you sent has more than 1 MB. Nothing was imported." in page.text
    assert re.search(r'<input [^>]*aria-invalid="true"[^>]*id="file"', page.text)


def test_another_form_that_is_too_large_is_not_answered_with_that_of_the_import(manager: Manager) -> None:
    body, kind = b"-" * 1_000_001, "multipart/form-data; boundary=-"
    page = outside(manager.client.post, f"{BASE}/customer/new", data=body, content_type=kind)
    assert page.status_code == 413
    assert "That is too large" in page.text
    assert "import" not in page.text.casefold()


def test_a_plan_that_is_out_of_date_is_shown_again_and_not_done(manager: Manager) -> None:
    page = manager.post("/import", text=CSV)
    manager.post("/customer/new", name="北村精機", code="")
    answer = confirm(manager, page.text)
    assert answer.status_code == 409
    assert "Work items have changed since this was shown" in answer.text
    assert ("北村精機", "") in rows(Customer.name, Customer.code)
    assert confirm(manager, answer.text).status_code == 303
    assert ("北村精機", "KTM") in rows(Customer.name, Customer.code)


@pytest.mark.parametrize("data", ["", "AAAA", "not base64", "eJzt"])
def test_a_confirmation_that_is_not_whole_imports_nothing(manager: Manager, data: str) -> None:
    assert manager.post("/import/confirm", data=data, seen="").status_code == 303
    assert "nothing was imported" in html.unescape(manager.said())


def test_what_is_exported_can_be_imported_and_calculates_nothing(manager: Manager) -> None:
    manager.post("/customer/new", name="=1+1", code="+KIT")
    answer = manager.get("/export.csv", state="active")
    assert answer.data.startswith(b"\xef\xbb\xbfcustomer,customer_code,")
    assert "'=1+1,'+KIT" in answer.text
    assert "Kitamura Precision,KIT,Press,PRESS,Drawing,RX-0,yes,'" not in answer.text
    assert "Everything in it is there already." in manager.post("/import", text=answer.text).text


def test_the_sample_can_be_imported(manager: Manager) -> None:
    page = manager.post("/import", text=manager.get("/import/sample.csv").text)
    assert page.status_code == 200


def test_five_thousand_rows_fit(manager: Manager) -> None:
    lines = [f"Customer {number // 500},Project {number // 50},Task {number}" for number in range(5000)]
    page = manager.post("/import", text="\n".join(["customer,project,task", *lines]))
    assert page.status_code == 200
    assert confirm(manager, page.text).status_code == 303
    assert len(rows(Task.id)) == 5004


def test_the_command_imports_and_says_what_is_wrong(company: Company, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("customer,project,task\nUeda,Cold,Design\n", encoding="utf-8")
    bad.write_text("customer,project,task\nUeda,,Design\n", encoding="utf-8")
    runner = company.app.test_cli_runner()
    dry = runner.invoke(args=["standard", "import-work-items", str(good), "--dry-run"])
    assert (dry.exit_code, "add task Ueda > Cold > Design" in dry.output) == (0, True)
    assert len(rows(Customer.id)) == 1
    assert runner.invoke(args=["standard", "import-work-items", str(good)]).exit_code == 0
    assert len(rows(Customer.id)) == 2
    refused = runner.invoke(args=["standard", "import-work-items", str(bad)])
    assert (refused.exit_code, "import_above_missing" in refused.output) == (1, True)
    assert [entry.actor for entry in company.audited("work_item.import")] == ["command line"]
