"""Reports as people ask for them: totals that add up at every level, what is not theirs to see, and bad input."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from app.auth.models import User
from app.sdk import now, write_transaction
from plugins.standard.access import Role
from plugins.standard.entries import CellChange, Writer, save_cells
from plugins.standard.models import Customer, Entry, Project, Task
from plugins.standard.reports import service
from plugins.standard.reports.query import Dimension
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import counted, manager, set_option
from tests.conftest import add_person

COLLEAGUE = "y.mori"
HERE = "/reports/"


@pytest.fixture(autouse=True)
def thursday() -> Iterator[None]:
    """It is the day of the mock pages, at noon."""
    with time_machine.travel(datetime(2026, 11, 26, 12, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def busy(office: Company) -> Company:
    """The member and a colleague have hours on all tasks, from October on; some are not billable."""
    colleague = add_person(office.app, COLLEAGUE, name="Yuki Mori")
    with office.app.app_context():
        with write_transaction() as session:
            session.execute(update(Project).values(for_everybody=True))
            session.execute(update(Task).where(Task.id == office.tasks["review"]).values(billable=False))
            session.execute(update(Task).values(active=True))
        for number, writer in enumerate((office.writer, Writer(colleague, COLLEAGUE, by=COLLEAGUE))):
            changes = [
                CellChange(task, THURSDAY - timedelta(days=3 * day), 20 + 7 * day + 11 * place + 61 * number, "", 0)
                for day in range(16)
                for place, task in enumerate(office.tasks.values())
                if (day + place + number) % 3
            ]
            save_cells(writer, changes)
    return office


def text_of(page: str) -> str:
    """What the page says, without its elements."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(page)).split())


def ask(client: FlaskClient, address: str = HERE, **query: object) -> str:
    answer = client.get(address, query_string=query or None)
    assert answer.status_code == 200, f"{answer.status_code} {answer.location}"
    return answer.text


def minutes(text: str) -> int:
    """Minutes of ``1,234:05``; a dash is none."""
    hours, _, rest = re.sub(r"<[^>]+>", "", text).replace(",", "").partition(":")
    return 0 if hours.strip() == "–" else int(hours) * 60 + int(rest)


def rows_of(page: str) -> list[tuple[str, str, list[int]]]:
    """Class, address and minutes (billable, not billable, total) of each row of the table of groups."""
    table = page[page.index("rp-groups") :]
    found = []
    for row in re.findall(r"<tr(.*?)</tr>", table, re.DOTALL):
        numbers = re.findall(r'<td class="is-num[^"]*">(.*?)</td>', row)[:3]
        if len(numbers) == 3:
            link = re.search(r'href="([^"]*)"', row)
            kind = re.match(r'(?: class="([^"]*)")?', row)
            found.append((kind[1] or "" if kind else "", unescape(link[1]) if link else "", [*map(minutes, numbers)]))
    return found


def summed(rows: list[list[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0, 0, 0]


def check_adds_up(page: str) -> list[int]:
    """Every total of the page is the sum of what stands beneath it; returns that of the page."""
    *rows, (_, _, total) = rows_of(page)
    first = [numbers for kind, _, numbers in rows if "rp-second" not in kind]
    assert summed(first) == total
    assert total[0] + total[1] == total[2]
    if any("rp-second" in kind for kind, _, _ in rows):
        groups: list[tuple[list[int], list[list[int]]]] = []
        for kind, _, numbers in rows:
            if "rp-first" in kind:
                groups.append((numbers, []))
            elif "rp-second" in kind:
                groups[-1][1].append(numbers)
        for numbers, children in groups:
            assert summed(children) == numbers
    return total


def all_minutes(busy: Company, *conditions: object) -> int:
    with busy.app.app_context(), write_transaction() as session:
        return sum(session.execute(select(Entry.minutes).where(*conditions)).scalars())  # type: ignore[arg-type]


# Adding up ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [Dimension.CUSTOMER, Dimension.PERSON, Dimension.MONTH])
@pytest.mark.usefixtures("busy")
def test_whatever_is_followed_has_the_total_of_its_row(admin_client: FlaskClient, group: Dimension) -> None:
    """Down from the first row of each level to single entries, at every level to the minute."""
    page = ask(admin_client, since="2026-10-12", until="2026-11-25", group=group.value)
    expected = check_adds_up(page)
    for _ in range(7):
        assert check_adds_up(page) == expected
        _, address, expected = rows_of(page)[0]
        page = ask(admin_client, address)
        if "/entries" in address:
            break
    sums = re.findall(r'<td class="is-num"[^>]*>(?:<span class="rx-cell">)?([\d,]+:\d\d)', page)
    assert sum(map(minutes, sums[:-1])) == minutes(sums[-1]) == expected[2]
    assert "/entries" in address


def test_two_levels_add_up(busy: Company, admin_client: FlaskClient) -> None:
    there_are = all_minutes(busy, Entry.day.between(date(2026, 10, 12), date(2026, 11, 25)))
    for number, group in enumerate(Dimension):
        for distance in (1, 3, 5):
            then = list(Dimension)[(number + distance) % len(Dimension)]
            page = ask(admin_client, since="2026-10-12", until="2026-11-25", group=group.value, then=then.value)
            assert check_adds_up(page)[2] == there_are, (group, then)


@pytest.mark.usefixtures("busy")
def test_more_groups_than_a_page_or_a_group_shows_stand_in_a_row(
    admin_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "GROUPS_OF_PAGE", 3)
    monkeypatch.setattr(service, "GROUPS_OF_PAGE_WITH_CHILDREN", 1)
    monkeypatch.setattr(service, "CHILDREN", 2)
    period = {"since": "2026-10-01", "until": "2026-11-30"}
    days = ask(admin_client, **period, group="day")
    assert "Page 1 of 6" in days
    assert "more on other pages" in days
    totals = [
        check_adds_up(ask(admin_client, **period, group="day", **page)) for page in ({}, {"page": 2}, {"page": 6})
    ]
    assert totals[0] == totals[1] == totals[2]
    people = ask(admin_client, **period, group="person", then="day")
    assert check_adds_up(people) == totals[0]
    followed = next(address for kind, address, _ in rows_of(people) if "rp-others" in kind)
    assert "group=day" in followed
    assert "person=" in followed
    beyond = admin_client.get(HERE, query_string={**period, "group": "day", "page": 7})
    assert (beyond.status_code, "page" in beyond.location) == (302, False)


@pytest.mark.usefixtures("busy")
def test_the_chart_has_the_numbers_of_the_table(member_client: FlaskClient) -> None:
    page = ask(member_client, period="this_month", group="day")
    assert 'aria-describedby="trend-table"' in page
    foot = re.search(r'id="trend-table".*?<tfoot>(.*?)</tfoot>', page, re.DOTALL)
    assert foot
    totals = [minutes(text) for text in re.findall(r'<td class="is-num">(.*?)</td>', foot[1])]
    assert totals == check_adds_up(page)
    assert "style=" not in page


def test_weeks_begin_on_the_day_of_the_setting(busy: Company, member_client: FlaskClient) -> None:
    for start in ("monday", "sunday", "saturday"):
        set_option(busy, "standard.week_start", start)
        page = ask(member_client, since="2026-10-12", until="2026-11-25", group="week", then="day")
        check_adds_up(page)
        for kind, address, _ in rows_of(page):
            if kind == "rp-first":
                since = date.fromisoformat(re.search(r"since=([\d-]+)", address)[1])  # type: ignore[index]
                assert since == date(2026, 10, 12) or since.strftime("%A").lower() == start


def test_days_of_the_first_year_have_weeks_and_months(office: Company, member_client: FlaskClient) -> None:
    """The weeks of the first days begin before the calendar does."""
    for day in (date(1, 1, 1), date(1, 1, 7), date(9999, 12, 31)):
        row = {"user_id": office.writer.user_id, "day": day, "task_id": office.tasks["drawing"], "minutes": 60}
        with office.app.app_context(), write_transaction() as session:
            session.execute(insert(Entry).values(**row, memo="", version=1, changed_at=now(), changed_by="x"))
    for start in ("monday", "sunday", "saturday"):
        set_option(office, "standard.week_start", start)
        for group, then in (("week", "day"), ("month", "week"), ("day", "task")):
            page = ask(member_client, since="0001-01-01", until="9999-12-31", group=group, then=then)
            assert check_adds_up(page)[2] == 180
            for kind, address, expected in rows_of(page)[:-1]:
                if kind == "rp-first":
                    assert check_adds_up(ask(member_client, address)) == expected


# What is not theirs to see ------------------------------------------------------------------------------------------


def test_a_member_sees_their_own_hours_and_is_offered_nothing_else(busy: Company, member_client: FlaskClient) -> None:
    with busy.app.app_context(), write_transaction() as session:
        other = Customer(code="SEC", name="Secret customer", active=True)
        session.add(other)
        session.flush()
        project = Project(customer_id=other.id, code="S", name="Secret project", colour="red", active=True)
        project.for_everybody = True
        session.add(project)
        session.flush()
        task = Task(project_id=project.id, code="S1", name="Secret task", active=True, billable=True)
        session.add(task)
        session.flush()
        secret = task.id, project.id, other.id
    colleague = add_person(busy.app, "secret.person", name="Secret Person")
    with busy.app.app_context():
        writer = Writer(colleague, "secret.person", by="secret.person")
        save_cells(writer, [CellChange(secret[0], THURSDAY, 333, "secret memo", 0)])
    for group in Dimension:
        page = ask(member_client, period="this_year", group=group.value)
        assert check_adds_up(page)[2] == all_minutes(busy, Entry.user_id == busy.writer.user_id)
        assert "ecret" not in page
        assert "Mori" not in page
    assert "ecret" not in ask(member_client, "/reports/entries", period="this_year", group="project")
    for field, value in (("task", secret[0]), ("project", secret[1]), ("customer", secret[2])):
        answer = member_client.get(HERE, query_string={"group": "project", field: value})
        assert (answer.status_code, "Choose one of the list." in answer.text) == (422, True)
        assert "Secret" not in answer.text
    for person in (COLLEAGUE, "Yuki Mori", "secret.person", "nobody at all"):
        answer = member_client.get(HERE, query_string={"person": person})
        assert answer.status_code == 422
        assert "There is nobody of this login or name whose hours you may see." in unescape(answer.text)


def test_a_manager_sees_the_hours_of_their_projects(busy: Company) -> None:
    client = manager(busy, Role.READER, "press")
    tasks = [busy.tasks[name] for name in ("drawing", "review", "finished")]
    page = ask(client, period="this_year", group="person", then="task")
    assert check_adds_up(page)[2] == all_minutes(busy, Entry.task_id.in_(tasks))
    assert "Of others" not in page
    assert "Others" not in page
    assert "Yuki Mori" in page
    alone = ask(client, period="this_year", group="task", person=COLLEAGUE)
    assert check_adds_up(alone)[2] == all_minutes(busy, Entry.task_id.in_(tasks), Entry.user_id != busy.writer.user_id)
    assert client.get(HERE, query_string={"project": busy.projects["others"]}).status_code == 422
    assert client.get(HERE, query_string={"person": "h.kitamura"}).status_code == 422, "they have no hours on it"


def test_deleted_people_and_finished_projects_stay_and_are_called_so(busy: Company, admin_client: FlaskClient) -> None:
    before = check_adds_up(ask(admin_client, period="this_year", group="person", then="project"))
    with busy.app.app_context(), write_transaction() as session:
        session.execute(update(Project).values(active=False))
        session.execute(update(User).where(User.login == COLLEAGUE).values(deleted_at=now()))
    page = ask(admin_client, period="this_year", group="person", then="project")
    assert check_adds_up(page) == before
    assert "deleted" in text_of(page)
    assert "finished" in text_of(page)
    assert check_adds_up(ask(admin_client, period="this_year", group="task", person=COLLEAGUE))[2] > 0


# Asking --------------------------------------------------------------------------------------------------------------


def test_without_being_asked_it_is_this_month_by_project(busy: Company, member_client: FlaskClient) -> None:
    page = ask(member_client)
    assert "Hours by project" in page
    assert 'name="since"' in page
    assert 'value="2026-11-01"' in page
    assert 'value="2026-11-30"' in page
    total = all_minutes(busy, Entry.user_id == busy.writer.user_id, Entry.day >= date(2026, 11, 1))
    assert check_adds_up(page)[2] == total


@pytest.mark.usefixtures("busy")
def test_a_form_leads_to_the_shortest_address_that_says_the_same(member_client: FlaskClient) -> None:
    sent = {
        "period": "this_month",
        "since": "2026-11-01",
        "until": "2026-11-30",
        "group": "task",
        "then": "",
        "customer": "",
        "project": "",
        "billable": "",
    }
    answer = member_client.get(HERE, query_string=sent)
    assert (answer.status_code, answer.location) == (302, "/reports/?period=this_month&group=task")
    typed = member_client.get(HERE, query_string={**sent, "since": "2026-11-02"})
    assert typed.location == "/reports/?since=2026-11-02&until=2026-11-30&group=task"
    assert ask(member_client, typed.location)


@pytest.mark.usefixtures("busy")
def test_a_person_is_found_by_name_as_well(admin_client: FlaskClient) -> None:
    answer = admin_client.get(HERE, query_string={"group": "task", "person": "yuki mori"})
    assert answer.location == f"/reports/?period=this_month&group=task&person={COLLEAGUE}"


def test_filters_leave_in_what_they_say(busy: Company, admin_client: FlaskClient) -> None:
    year = {"period": "this_year", "group": "person"}
    review = busy.tasks["review"]
    for query, condition in (
        ({"billable": "no"}, Entry.task_id == review),
        ({"billable": "yes"}, Entry.task_id != review),
        ({"task": review, "project": busy.projects["press"]}, Entry.task_id == review),
        ({"project": busy.projects["others"]}, Entry.task_id == busy.tasks["of others"]),
        ({"person": "m.sakai"}, Entry.user_id == busy.writer.user_id),
    ):
        page = ask(admin_client, **year, **query)
        assert check_adds_up(page)[2] == all_minutes(busy, condition), query
    nothing = ask(admin_client, period="last_year", group="project")
    assert "No hours here" in nothing
    assert "No hours here" in ask(admin_client, "/reports/entries", period="last_year", group="project")


@pytest.mark.usefixtures("busy")
def test_most_hours_come_first_or_names_in_their_order(admin_client: FlaskClient) -> None:
    page = ask(admin_client, period="this_year", group="task")
    totals = [numbers[2] for _, _, numbers in rows_of(page)[:-1]]
    assert totals == sorted(totals, reverse=True)
    by_name = ask(admin_client, period="this_year", group="task", then="person", sort="name")
    names = re.findall(r"rp-first.*?<a [^>]*>(?:<span [^>]*></span>)?(.*?)</a>", by_name)
    assert names == ["Drawing", "Finished", "Of others", "Review"]
    check_adds_up(by_name)


NOT_UNDERSTOOD: list[tuple[dict[str, str | bytes], str]] = [
    ({"since": "2026-13-01", "until": "2026-11-30"}, "This is not a day."),
    ({"since": "2026-11-02"}, "Fill in this field."),
    ({"until": "2026-11-02"}, "Fill in this field."),
    ({"since": "2026-11-02", "until": "2026-11-01"}, "The period ends before it begins."),
    ({"group": "colour"}, "Choose one of the list."),
    ({"group": "task", "then": "task"}, "Choose another than the first."),
    ({"then": "\0"}, "Choose one of the list."),
    ({"customer": "9" * 400}, "Choose one of the list."),
    ({"project": "-1"}, "Choose one of the list."),
    ({"project": "\uff11"}, "Choose one of the list."),
    ({"task": "x"}, "Choose one of the list."),
    ({"billable": "perhaps"}, "Choose one of the list."),
    ({"person": "x" * 400}, "Type at most 256 characters."),
    ({"person": "\0"}, "There is nobody of this login or name"),
    ({"person": "\ud800".encode("utf-8", "surrogatepass")}, "There is nobody of this login or name"),
]


@pytest.mark.usefixtures("office")
def test_what_is_not_understood_is_said_at_its_field(member_client: FlaskClient) -> None:
    for query, said in NOT_UNDERSTOOD:
        answer = member_client.get("/reports/entries" if "until" in query else HERE, query_string=query)
        assert answer.status_code == 422, query
        assert said in unescape(answer.text), query
        assert "invalid-feedback" in answer.text
        for name, value in query.items():
            if name in ("since", "until", "person") and isinstance(value, str) and value.isprintable():
                assert f'name="{name}"' in answer.text
                assert f'value="{value}"' in answer.text, "what was typed stays"


@pytest.mark.usefixtures("busy")
def test_a_page_that_is_none_is_the_first(member_client: FlaskClient) -> None:
    for page in ("0", "-1", "x", "9" * 400, "999999", "\0"):
        query = {"period": "this_year", "group": "task", "page": page}
        answer = member_client.get(HERE, query_string=query, follow_redirects=True)
        assert answer.status_code == 200
        assert check_adds_up(answer.text)[2]


def test_a_report_takes_few_statements_whatever_there_is(busy: Company, admin_client: FlaskClient) -> None:
    ask(admin_client)  # a first page writes down that somebody was seen
    for group, then in (("customer", "project"), ("person", "task")):
        with counted(busy.app) as statements:
            ask(admin_client, period="this_year", group=group, then=then, person=COLLEAGUE)
        assert len(statements) <= 12, statements
        asked = [statement for statement in statements if "login_key =" in statement]
        assert len(asked) == 1, "who is meant is looked up once"


def test_whoever_is_not_logged_in_or_has_no_license_sees_no_report(client: FlaskClient) -> None:
    for address in (HERE, "/reports/entries"):
        assert client.get(address).status_code in (302, 303)
