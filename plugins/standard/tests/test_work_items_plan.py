"""What an import would do, from rows alone; and the tree, filtered, searched and cut into pages."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sdk import Refusal, csv_lines
from plugins.standard.work_items.csv_file import COLUMNS, Row, decoded, read_table
from plugins.standard.work_items.import_plan import Known, Person, Plan, PlannedItem, make_plan
from plugins.standard.work_items.outline import (
    CustomerNode,
    ProjectNode,
    State,
    TaskNode,
    assemble,
    count,
    in_state,
    page,
    search,
)
from plugins.standard.work_items.rules import (
    ChangedMeanwhile,
    CustomerDetails,
    Kind,
    ProjectDetails,
    TaskDetails,
    merged,
)

KITAMURA = Known(Kind.CUSTOMER, 1, None, CustomerDetails("KIT", "Kitamura"), active=True)
PRESS = Known(Kind.PROJECT, 2, 1, ProjectDetails(1, "PRESS", "Press", "blue", for_everybody=True), active=True)
DRAWING = Known(Kind.TASK, 3, 2, TaskDetails("RX-1", "Drawing", billable=True), active=True)
KNOWN = (KITAMURA, PRESS, DRAWING)
MIO = Person(7, "m.sakai")
PEOPLE = {"m.sakai": MIO}


def plan(*rows: Row, known: tuple[Known, ...] = KNOWN) -> Plan:
    return make_plan(rows, known, PEOPLE)


def errors(*rows: Row, known: tuple[Known, ...] = KNOWN) -> list[tuple[int, str, str]]:
    return [(error.line, error.column, error.refusal.code) for error in plan(*rows, known=known).errors]


def done(known: tuple[Known, ...], planned: Plan) -> tuple[Known, ...]:
    """What is there once the plan is carried out."""
    ids = {item.key: 1000 + item.key if item.id is None else item.id for item in planned.items}
    result = {(each.kind, each.id): each for each in known}
    for item in planned.items:
        parent = item.parent_id if item.parent_id is not None or item.parent_key is None else ids[item.parent_key]
        details = item.details
        if isinstance(details, ProjectDetails) and parent is not None:
            details = ProjectDetails(parent, details.code, details.name, details.colour, details.for_everybody)
        earlier = result.get((item.kind, ids[item.key]))
        named = (earlier.members if earlier else frozenset()) | {person.id for person in item.new_members}
        result[item.kind, ids[item.key]] = Known(item.kind, ids[item.key], parent, details, True, named)
    order = list(Kind)
    return tuple(sorted(result.values(), key=lambda each: (order.index(each.kind), each.id)))


def test_what_is_there_already_plans_nothing() -> None:
    row = Row(2, "kitamura", "kit", "ＰＲＥＳＳ", "press", "drawing", "rx-1", "yes", "*")
    assert plan(row).items == ()
    assert plan(row).errors == ()


def test_what_is_new_is_planned_from_the_top_down() -> None:
    planned = plan(Row(2, "Ueda", "UED", "Cold", "", "Design", "", "no", "m.sakai"))
    assert [(item.kind, item.path) for item in planned.items] == [
        (Kind.CUSTOMER, ("Ueda",)),
        (Kind.PROJECT, ("Ueda", "Cold")),
        (Kind.TASK, ("Ueda", "Cold", "Design")),
    ]
    customer, project, task = planned.items
    assert isinstance(project.details, ProjectDetails)
    assert (project.details.for_everybody, project.new_members) == (False, (MIO,))
    assert task.details == TaskDetails("", "Design", billable=False)
    assert (project.parent_key, task.parent_key) == (customer.key, project.key)


def test_a_code_finds_what_has_another_name_now() -> None:
    (item,) = plan(Row(2, "Kitamura Precision", "KIT")).changed
    assert item.details == CustomerDetails("KIT", "Kitamura Precision")


def test_a_name_finds_what_is_to_have_another_code() -> None:
    (item,) = plan(Row(2, "Kitamura", "KTM")).changed
    assert item.details == CustomerDetails("KTM", "Kitamura")


def test_an_empty_cell_says_nothing() -> None:
    assert plan(Row(2, "Kitamura", project="Press", task="Drawing")).items == ()


def test_members_are_added_and_say_who_records_hours() -> None:
    (item,) = plan(Row(2, "Kitamura", project="Press", members="m.sakai")).changed
    assert item.new_members == (MIO,)
    assert isinstance(item.details, ProjectDetails)
    assert not item.details.for_everybody


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([Row(2)], [(2, "customer", "import_above_missing")]),
        ([Row(2, customer_code="NEW")], [(2, "customer", "import_name_missing")]),
        ([Row(2, "Kitamura", task="Drawing")], [(2, "project", "import_above_missing")]),
        ([Row(2, "Kitamura", members="m.sakai")], [(2, "project", "import_above_missing")]),
        ([Row(2, "Kitamura", billable="yes")], [(2, "task", "import_above_missing")]),
        ([Row(2, "Ueda", project="Cold", project_code="press")], [(2, "project_code", "import_code_elsewhere")]),
        ([Row(2, "Ueda"), Row(3, "Ueda", "KIT")], [(3, "customer_code", "work_item_code_taken")]),
        ([Row(2, "A", "X"), Row(3, "A", "Y")], [(3, "customer_code", "import_contradiction")]),
        ([Row(2, "x" * 201)], [(2, "customer", "work_item_name_invalid")]),
        ([Row(2, "Ueda", "x" * 33)], [(2, "customer_code", "work_item_code_invalid")]),
        ([Row(2, "A", project="P", members="nobody")], [(2, "members", "import_login_unknown")]),
        (
            [Row(2, "A", project="P", task="T", billable="maybe", members="nobody somebody")],
            [(2, "members", "import_login_unknown")] * 2 + [(2, "billable", "import_not_yes_or_no")],
        ),
        ([Row(2, "A", project="P", task="T", billable="2")], [(2, "billable", "import_not_yes_or_no")]),
        (
            [Row(2, "A", project="P", task="T", billable="y"), Row(3, "A", project="P", task="T", billable="n")],
            [(3, "billable", "import_contradiction")],
        ),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_column(rows: list[Row], expected: list[tuple[int, str, str]]) -> None:
    assert errors(*rows) == expected


def test_nothing_is_added_to_what_is_finished() -> None:
    finished = Known(Kind.CUSTOMER, 1, None, KITAMURA.details, active=False)
    known = (finished, PRESS, DRAWING)
    assert errors(Row(2, "Kitamura", project="Press", task="New"), known=known) == [
        (2, "task", "work_item_parent_finished")
    ]
    assert errors(Row(2, "Kitamura", project="Press", task="Drawing"), known=known) == []


_texts = st.sampled_from(["", "A", "a", "Ｂ", "b", "C", "=1+1", "設計"])
_rows = st.builds(
    Row,
    st.integers(2, 9),
    customer=_texts,
    customer_code=_texts,
    project=_texts,
    project_code=_texts,
    task=_texts,
    task_code=_texts,
    billable=st.sampled_from(["", "yes", "no", "はい", "0"]),
    members=st.sampled_from(["", "*", "m.sakai", "* m.sakai"]),
)


@given(st.lists(_rows, max_size=8))
def test_what_was_imported_plans_nothing_the_second_time(rows: list[Row]) -> None:
    first = plan(*rows)
    if first.errors:
        return
    after = done(KNOWN, first)
    second = make_plan(rows, after, PEOPLE)
    assert (second.items, second.errors) == ((), ())
    for kind in Kind:
        of_kind = [each for each in after if each.kind is kind]
        codes = [each.details.code.casefold() for each in of_kind if each.details.code]
        assert len(codes) == len(set(codes))


@given(st.lists(_rows, max_size=8))
def test_a_plan_is_the_same_for_the_same_rows(rows: list[Row]) -> None:
    assert plan(*rows).digest == plan(*rows).digest


_cells = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=12).map(
    lambda text: " ".join(text.split())
)


@given(st.lists(_cells.filter(lambda text: not text.startswith("'")), min_size=8, max_size=8))
def test_what_is_exported_is_read_as_it_was(cells: list[str]) -> None:
    if not any(cells):
        return
    (row,) = read_table("".join(csv_lines(COLUMNS, [cells]))).rows
    assert [getattr(row, column) for column in COLUMNS] == cells


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_found_and_a_cell_may_hold_lines(separator: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["Customer", "タスク", "Note"], ["A\nB", "", "x"], ["C", "", ""]])
    table = read_table(text.getvalue())
    assert [(row.line, row.customer) for row in table.rows] == [(2, "A B"), (4, "C")]
    assert table.ignored == ("Note",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_each_encoding_of_spreadsheets_is_read(encoding: str) -> None:
    assert decoded("顧客,ﾀｽｸ\n".encode(encoding)) == "顧客,ﾀｽｸ\n"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_table(decoded(data))
    except Refusal as refusal:
        if not refusal.code.startswith("import_"):
            raise


# The tree -------------------------------------------------------------------------------------------------------------


def tree() -> tuple[CustomerNode, ...]:
    return assemble(
        [CustomerNode(1, "K", "Kitamura", True), CustomerNode(2, "", "Internal", False)],
        [
            ProjectNode(1, 1, "P", "Press", True, "blue", True, 0),
            ProjectNode(2, 1, "", "Old", False, "red", True, 0),
            ProjectNode(3, 2, "", "Office", True, "red", True, 0),
        ],
        [
            TaskNode(1, 1, "", "Drawing", True, True),
            TaskNode(2, 1, "", "Done", False, True),
            TaskNode(3, 3, "", "Mail", True, True),
        ],
    )


def test_every_item_is_active_or_finished() -> None:
    active, finished, everything = (count(tree(), state) for state in (State.ACTIVE, State.FINISHED, State.ALL))
    assert (active.items, finished.items, everything.items) == (3, 5, 8)


def test_what_is_finished_stands_below_what_it_belongs_to() -> None:
    internal, kitamura = in_state(tree(), State.FINISHED)
    assert [project.name for project in kitamura.projects] == ["Old", "Press"]
    assert [task.name for task in kitamura.projects[1].tasks] == ["Done"]
    assert [project.name for project in internal.projects] == ["Office"]


def test_words_are_found_along_a_path() -> None:
    (kitamura,) = search(tree(), "draw KITA")
    assert [[task.name for task in project.tasks] for project in kitamura.projects] == [["Drawing"]]
    assert search(tree(), "mail kitamura") == ()


@given(st.lists(st.integers(0, 6), max_size=12), st.integers(-3, 40), st.integers(1, 5))
def test_pages_show_everything_once(projects_of: list[int], number: int, size: int) -> None:
    customers = [CustomerNode(each, "", f"C{each:02}", True) for each in range(len(projects_of))]
    projects = [
        ProjectNode(100 * each + other, each, "", f"P{other}", True, "blue", True, 0)
        for each, many in enumerate(projects_of)
        for other in range(many)
    ]
    outline = assemble(customers, projects, [])
    pages = [page(outline, each, size) for each in range(1, page(outline, 1, size).pages + 1)]
    shown = [project.id for each in pages for customer in each.customers for project in customer.projects]
    assert shown == [project.id for project in projects]
    assert {customer.id for each in pages for customer in each.customers} == {each.id for each in customers}
    assert 1 <= page(outline, number, size).number <= len(pages)


# Two at once ----------------------------------------------------------------------------------------------------------

_details = st.builds(TaskDetails, st.sampled_from("ab"), st.sampled_from("xy"), st.booleans())


@given(_details, _details, _details)
def test_changes_of_two_come_together_or_are_told(seen: TaskDetails, wanted: TaskDetails, present: TaskDetails) -> None:
    names = ("code", "name", "billable")
    try:
        result = merged(seen, wanted, present)
    except ChangedMeanwhile as told:
        for name in told.conflicts:
            assert len({getattr(each, name) for each in (seen, wanted, present)}) > 1
        return
    for name in names:
        changed = getattr(wanted, name) != getattr(seen, name)
        assert getattr(result, name) == getattr(wanted if changed else present, name)


def test_items_know_whether_they_are_new() -> None:
    item: PlannedItem
    (item,) = plan(Row(2, "Ueda")).items
    assert item.is_new


def test_a_row_with_more_cells_than_columns_is_refused_since_a_name_may_hold_the_separator() -> None:
    with pytest.raises(Refusal) as refused:
        read_table("customer,project,task\nSmith,Line,Drawing\nSmith, Jones Ltd,Line,Drawing\n")
    assert refused.value.code == "import_row_too_long"
    assert refused.value.params["line"] == 3
    assert read_table("customer,project\nSmith,Line,,\n").rows[0].project == "Line", "empty ones say nothing"
