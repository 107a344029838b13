"""A model of a week that two tabs save to: nothing is ever lost, and the sheet adds up to what is recorded."""

from datetime import date, timedelta

from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select

from app.sdk import read_connection, write_transaction
from plugins.standard.models import Entry
from plugins.standard.tests.company import Company
from plugins.standard.tests.sheet import MONDAY, Tab, entries

DAYS = [MONDAY, MONDAY + timedelta(days=3)]
TYPED = {"": 0, "0": 0, "1": 60, "1:30": 90, "２３": 1380, "45m": 45}
MISTAKES = ["-1", "25", "abc", "1:75"]
TEXTS = [*TYPED] * 4 + MISTAKES
places = st.sampled_from([("drawing", DAYS[0]), ("review", DAYS[0]), ("drawing", DAYS[1])])
which = st.sampled_from([0, 1])


class TwoTabs(RuleBasedStateMachine):
    """``recorded`` is what the database holds, ``seen`` what each tab knows of it, ``typed`` what is not saved."""

    office: Company
    client: FlaskClient

    @initialize()
    def open(self) -> None:
        with self.office.app.app_context(), write_transaction() as session:
            session.execute(delete(Entry))
        tasks = self.office.tasks
        self.tabs = [Tab(self.client).with_row(tasks["drawing"], tasks["review"]) for _ in range(2)]
        self.recorded: dict[tuple[int, date], int] = {}
        self.seen: list[dict[tuple[int, date], int]] = [{}, {}]
        self.typed: list[dict[tuple[int, date], str]] = [{}, {}]
        self.changed_at: dict[tuple[int, date], int] = {}
        self.moment = 0
        self.known_at: list[dict[tuple[int, date], int]] = [{}, {}]

    @rule(tab=which, typed=st.dictionaries(places, st.sampled_from(TEXTS), min_size=1), then_saves=st.booleans())
    def type(self, *, tab: int, typed: dict[tuple[str, date], str], then_saves: bool) -> None:
        for (task, day), text in typed.items():
            cell = self.office.tasks[task], day
            self.tabs[tab].type(*cell, text)
            self.typed[tab][cell] = text
        if then_saves:
            self.save(tab)

    @rule(tab=which, is_meant=st.integers(0, 3).map(lambda number: number == 0))
    def load(self, *, tab: int, is_meant: bool) -> None:
        if not is_meant:
            return
        self.tabs[tab].load()
        self.typed[tab].clear()
        self.know(tab, set(self.recorded) | set(self.changed_at))

    def know(self, tab: int, cells: set[tuple[int, date]]) -> None:
        for cell in cells:
            self.seen[tab][cell] = self.recorded.get(cell, 0)
            self.known_at[tab][cell] = self.changed_at.get(cell, 0)

    def save(self, tab: int) -> None:
        def is_touched(cell: tuple[int, date], text: str) -> bool:
            before = self.seen[tab].get(cell, 0)
            return text != (f"{before // 60}:{before % 60:02}" if before else "")

        touched = {cell: text for cell, text in self.typed[tab].items() if is_touched(cell, text)}
        answer = self.tabs[tab].press()
        others = (set(self.recorded) | set(self.changed_at)) - touched.keys()
        if any(text in MISTAKES for text in touched.values()):
            assert answer.status_code == 422
            self.know(tab, others)
            self.still_typed(tab, touched)
            return
        wanted = {cell: TYPED[text] for cell, text in touched.items()}
        different = {cell for cell, minutes in wanted.items() if minutes != self.recorded.get(cell, 0)}
        outdated = {cell for cell in different if self.known_at[tab].get(cell, 0) != self.changed_at.get(cell, 0)}
        if outdated:
            assert answer.status_code == 409
            self.know(tab, others | outdated)
            self.still_typed(tab, touched)
            return
        after = {**self.recorded, **wanted}
        if any(sum(m for (_, day), m in after.items() if day == one) > 1440 for one in {day for _, day in different}):
            assert answer.status_code == 422
            self.know(tab, others)
            self.still_typed(tab, touched)
            return
        assert answer.status_code == 303
        self.moment += 1
        for cell in different:
            self.recorded[cell] = wanted[cell]
            # An emptied cell is as any empty one: whoever has seen it empty before has seen it.
            self.changed_at[cell] = self.moment if wanted[cell] else 0
        self.typed[tab].clear()
        self.know(tab, set(self.recorded) | set(self.changed_at))

    def still_typed(self, tab: int, touched: dict[tuple[int, date], str]) -> None:
        for cell, text in touched.items():
            assert self.tabs[tab].shows(*cell) == text
        self.typed[tab] = dict(touched)

    @invariant()
    def what_is_recorded_is_what_was_saved(self) -> None:
        kept = {cell: minutes for cell, minutes in self.recorded.items() if minutes}
        assert {cell: minutes for cell, (minutes, _) in entries(self.office).items()} == kept

    @invariant()
    def the_report_adds_up_to_the_grid(self) -> None:
        with self.office.app.app_context(), read_connection() as connection:
            total = connection.execute(select(func.coalesce(func.sum(Entry.minutes), 0))).scalar_one()
        page = Tab(self.client).page
        shown = f"{total // 60}:{total % 60:02}" if total else "–"
        assert f'<td class="c-sum" data-ts="week-total">{shown}<' in page


OPTIONS = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)


def test_two_tabs_never_lose_anything_of_a_week(office: Company, member_client: FlaskClient) -> None:
    TwoTabs.office, TwoTabs.client = office, member_client
    run_state_machine_as_test(TwoTabs, settings=OPTIONS)
