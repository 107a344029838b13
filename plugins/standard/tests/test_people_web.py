"""The list of people as managers read it, and as those do who read everybody's hours."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from app.auth.models import User
from app.sdk import write_transaction
from plugins.standard.access import Role
from plugins.standard.entries import CellChange, Writer, save_cells
from plugins.standard.models import Project, ProjectMember
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.people import MANAGER, counted, grant, manager
from tests.conftest import MEMBER, add_person, log_in, register_key

pytestmark = pytest.mark.usefixtures("thursday")

READER = "e.matsuda"
TUESDAY, WEDNESDAY = date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture
def everybody(office: Company) -> FlaskClient:
    """A browser of somebody who reads the hours of everybody."""
    grant(office, add_person(office.app, READER, name="Emi Matsuda"), "standard.everybody")
    client = office.app.test_client()
    log_in(client, READER)
    return client


def record(office: Company, task: str, minutes: int, *days: date, writer: Writer | None = None) -> None:
    with office.app.app_context():
        save_cells(writer or office.writer, [CellChange(office.tasks[task], day, minutes, "", 0) for day in days])


def open_everything(office: Company) -> None:
    """Let everybody record on every project."""
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(Project).values(for_everybody=True))


def rows(page: str) -> dict[str, list[str]]:
    """What stands in the cells of each row, by the login of the person."""
    found = {}
    for row in re.findall(r"<tr>(<th scope=\"row\">.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL):
        cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"</t[hd]>", row)]
        login = re.search(r"<small>([^<]+)</small>", row)
        found[login[1] if login else "total"] = cells[1:]
    return found


def test_a_row_has_the_same_figures_as_the_month_of_the_person(office: Company, everybody: FlaskClient) -> None:
    record(office, "drawing", 300, date(2026, 11, 20), TUESDAY, WEDNESDAY)
    record(office, "review", 195, TUESDAY, THURSDAY)
    office.close(date(2026, 11, 20))
    page = everybody.get("/people/").text
    assert rows(page)[MEMBER][:6] == ["18:15", "32:00", "−13:45", "1 missing", "20 Nov 2026", "read"]
    assert rows(page)["total"][:4] == ["18:15", "32:00", "−13:45", "1"]
    assert rows(page)["h.kitamura"][:4] == ["–", "–", "0:00", "–"], "nothing is expected before the first entry"
    month = everybody.get("/month/", query_string={"person": office.writer.user_id}).text
    for figure in ("32:00", "−13:45", "18:15 recorded through Wed 25 Nov"):
        assert figure in month
    assert f'href="/month/?person={office.writer.user_id}&amp;month=2026-11"' in page
    assert f'href="/timesheet/?person={office.writer.user_id}&amp;week=2026-W48"' in page


def test_totals_of_many_hours_have_separators(office: Company, everybody: FlaskClient) -> None:
    with office.app.app_context():
        days = [date(2026, 10, 1) + timedelta(days=number) for number in range(31)]
        for login in ("a.aoyama", "y.fujita"):
            user_id = add_person(office.app, login)
            save_cells(
                Writer(user_id, login, by=login),
                [CellChange(office.tasks["drawing"], day, 1200, "", 0) for day in days],
            )
    page = everybody.get("/people/", query_string={"month": "2026-10"}).text
    assert rows(page)["total"][:3] == ["1,240:00", "352:00", "+888:00"]


def test_a_week_and_other_months_are_shown(office: Company, everybody: FlaskClient) -> None:
    record(office, "drawing", 480, TUESDAY)
    assert rows(everybody.get("/people/?week=2026-W48").text)[MEMBER][:4] == ["8:00", "16:00", "−8:00", "1 missing"]
    assert rows(everybody.get("/people/?month=2026-10").text)[MEMBER][:4] == ["–", "–", "0:00", "–"]
    for query in ("month=0001-01", "month=9999-12", "week=0001-W01", "week=9999-W52", "month=x", "week=2026-W54"):
        assert everybody.get(f"/people/?{query}").status_code == 200


def test_whoever_left_stays_where_there_are_hours_and_says_so(office: Company, everybody: FlaskClient) -> None:
    user_id = add_person(office.app, "n.mori", name="Naoki Mori")
    record(office, "drawing", 60, TUESDAY, writer=Writer(user_id, "n.mori", by="n.mori"))
    with office.app.app_context(), write_transaction() as session:
        session.execute(update(User).where(User.id == user_id).values(deleted_at=datetime(2026, 11, 25, tzinfo=UTC)))
    page = everybody.get("/people/").text
    assert "(deleted)" in page
    assert rows(page)["n.mori"][0] == "1:00"
    assert "n.mori" not in rows(everybody.get("/people/?month=2026-10").text)


def test_a_manager_sees_the_hours_of_their_projects_and_nothing_else(office: Company) -> None:
    open_everything(office)
    record(office, "drawing", 61, TUESDAY)
    record(office, "of others", 127, TUESDAY, WEDNESDAY)
    outsider = add_person(office.app, "o.utsider", name="Outsider")
    record(office, "of others", 60, TUESDAY, writer=Writer(outsider, "o.utsider", by="o.utsider"))
    add_person(office.app, "idle", name="Idle")
    client = manager(office, Role.READER, "press")
    record(office, "of others", 240, TUESDAY, writer=Writer(outsider + 2, MANAGER, by=MANAGER))
    page = client.get("/people/").text
    assert rows(page).keys() == {MEMBER, "total"}
    assert rows(page)[MEMBER][:4] == ["1:01", "1", "open", "read"]
    for hidden in ("2:07", "5:15", "missing</span>", "Balance", "Outsider"):
        assert hidden not in page, hidden
    assert "You read the hours of: Press." in page


def test_named_people_without_hours_are_listed_and_found_by_the_filter(office: Company) -> None:
    record(office, "drawing", 60, TUESDAY)
    named = add_person(office.app, "n.amed", name="Named Person")
    with office.app.app_context(), write_transaction() as session:
        row = {"project_id": office.projects["press"], "user_id": named, "role": Role.MEMBER.value}
        session.execute(insert(ProjectMember).values(**row))
    client = manager(office, Role.CORRECTOR, "press")
    assert rows(client.get("/people/").text).keys() == {MEMBER, "n.amed", "total"}
    assert rows(client.get("/people/?which=lacking").text).keys() == {"n.amed", "total"}
    assert rows(client.get("/people/").text)["n.amed"][3] == "read and correct"


def test_a_corrector_corrects_those_alone_who_have_a_part_in_the_project(office: Company) -> None:
    open_everything(office)
    record(office, "drawing", 60, TUESDAY)
    other = add_person(office.app, "o.ther", name="Other")
    record(office, "of others", 60, TUESDAY, writer=Writer(other, "o.ther", by="o.ther"))
    client = manager(office, Role.CORRECTOR, "press")
    with office.app.app_context(), write_transaction() as session:
        row = {"project_id": office.projects["others"], "user_id": other + 1, "role": Role.READER.value}
        session.execute(insert(ProjectMember).values(**row))
    page = client.get("/people/").text
    assert (rows(page)[MEMBER][3], rows(page)["o.ther"][3]) == ("read and correct", "read")
    assert "You read and correct the hours of: Press." in page
    assert "You read the hours of: Others." in page


def test_the_list_is_searched_sorted_and_cut_into_pages(office: Company, everybody: FlaskClient) -> None:
    record(office, "drawing", 480, TUESDAY)
    register_key(office.app, seats=100)
    for number in range(55):
        add_person(office.app, f"p{number:02}", name=f"Person {number:02}")
    first = everybody.get("/people/").text
    assert "1–50 of 58" in first
    assert len(rows(everybody.get("/people/?page=2").text)) == 8 + 1
    assert rows(everybody.get("/people/?q=SAKAI").text).keys() == {MEMBER, "total"}
    assert next(iter(rows(everybody.get("/people/?sort=balance").text))) == MEMBER
    assert 'aria-sort="descending"' in everybody.get("/people/?sort=missing&direction=descending").text
    assert "Nobody found" in everybody.get("/people/?q=nobody").text
    for query in ("sort=x", "page=-1", "page=" + "9" * 40, "which=x", "direction=x", "q=%00", "q=" + "x" * 5000):
        assert everybody.get(f"/people/?{query}").status_code == 200


def test_whoever_may_read_nobody_sees_nobody(office: Company, member_client: FlaskClient) -> None:
    record(office, "drawing", 83, TUESDAY)
    for client in (member_client, manager(office, Role.READER)):
        page = client.get("/people/").text
        assert "Nobody to look after yet" in page
        assert rows(page) == {}
        assert "1:23" not in page
    assert 'href="/people/"' not in member_client.get("/timesheet/").text
    assert 'href="/people/"' in client.get("/timesheet/").text


def test_the_list_takes_few_statements_however_many_people(office: Company, everybody: FlaskClient) -> None:
    theirs = manager(office, Role.CORRECTOR, "press")
    for client in (everybody, theirs):
        client.get("/people/")  # the first page of a session also writes down when somebody was seen
    for extra in range(2):
        with counted(office.app) as all_hours:
            everybody.get("/people/?sort=balance")
        with counted(office.app) as some:
            theirs.get("/people/")
        assert max(len(all_hours), len(some)) <= 8, [*all_hours, "", *some]
        for number in range(5):
            login = f"p{extra}{number}"
            writer = Writer(add_person(office.app, login), login, by=login)
            record(office, "drawing", 60, *(TUESDAY - timedelta(days=day) for day in range(20)), writer=writer)
