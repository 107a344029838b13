"""Durations, addresses, waiting, export, key store: rules that need neither server nor queue."""

import csv
import io
import json
import random
import stat
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from conftest import SERVER, MemoryKeyStore
from fake_server import FakeServer
from hypothesis import given
from hypothesis import strategies as st

from timetracker_desktop.api import AddressError, is_protected, server_address
from timetracker_desktop.backoff import IDLE, Backoff
from timetracker_desktop.duration import DurationError, parse_duration, show_duration
from timetracker_desktop.export import export_csv
from timetracker_desktop.keystore import TokenStore
from timetracker_desktop.local_truth import cut_into_days
from timetracker_desktop.model import read_state
from timetracker_desktop.operation_queue import OperationState, Queued
from timetracker_desktop.operations import Addition, Correction, Start, Stop, read_action, write_action
from timetracker_desktop.reading import ReadingError

INSTANTS = st.integers(1_767_225_600, 1_830_297_600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
TASK_IDS = st.integers(1, 10**9)
ACTIONS = st.one_of(
    st.builds(Start, TASK_IDS, INSTANTS, st.text()),
    st.builds(Stop, st.uuids().map(str), TASK_IDS, INSTANTS, INSTANTS, st.text()),
    st.builds(Correction, TASK_IDS, DAYS, st.integers(0, 1440), st.text(), st.integers(0, 2**60)),
    st.builds(Addition, TASK_IDS, DAYS, st.integers(0, 1440), st.text()),
)


@pytest.mark.parametrize(
    "text", ["1:30", "1.5", "1,5", "90m", "90min", "1h30", "1h 30m", "1.5h", "１：３０", "1時間30分", "90分"]
)
def test_an_hour_and_a_half_is_read_however_it_is_typed(text: str) -> None:
    assert parse_duration(text) == 90


@pytest.mark.parametrize(
    ("text", "minutes"), [("", 0), ("-", 0), ("8", 480), ("0.33", 20), (".5", 30), ("24:00", 1440)]
)
def test_durations_at_the_edges(text: str, minutes: int) -> None:
    assert parse_duration(text) == minutes


@pytest.mark.parametrize("text", ["1:60", "abc", "24:01", "-1", "1:3", "1e3", "9" * 40, "1.5.5", "∞", "."])
def test_what_is_no_duration_is_refused_in_words(text: str) -> None:
    with pytest.raises(DurationError):
        parse_duration(text)


@given(st.integers(0, 1440))
def test_what_is_shown_is_read_back(minutes: int) -> None:
    assert parse_duration(show_duration(minutes)) == minutes


@given(st.text(max_size=50))
def test_whatever_is_typed_gives_minutes_or_a_reason(text: str) -> None:
    with suppress(DurationError):
        assert 0 <= parse_duration(text) <= 1440


@given(ACTIONS)
def test_an_action_is_read_back_as_it_was_written(action: Start | Stop | Correction | Addition) -> None:
    assert read_action(json.loads(json.dumps(write_action(action)))) == action


@given(
    INSTANTS, st.integers(0, 4 * 24 * 3600), st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/Santiago", "UTC"])
)
def test_the_parts_of_a_timer_add_up_to_its_whole_minutes(begin: datetime, seconds: int, zone: str) -> None:
    parts = cut_into_days(begin, begin + timedelta(seconds=seconds), ZoneInfo(zone))
    assert sum(minutes for _, minutes in parts) == seconds // 60
    assert [day for day, _ in parts] == sorted(day for day, _ in parts)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("rx.example.org", "https://rx.example.org"),
        (" https://rx.example.org/ ", "https://rx.example.org"),
        ("localhost:8000", "http://localhost:8000"),
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("https://example.org/hours/", "https://example.org/hours"),
    ],
)
def test_addresses_are_taken_as_people_type_them(typed: str, address: str) -> None:
    assert server_address(typed) == address


@pytest.mark.parametrize(
    "typed", ["", "https://", "ftp://x", "https://a b", "https://u:p@x", "https://x:0", "https://x:99999"]
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(AddressError):
        server_address(typed)


def test_only_tls_and_this_computer_are_protected() -> None:
    assert is_protected("https://x")
    assert is_protected("http://localhost:8000")
    assert not is_protected("http://10.0.0.5")


@given(st.integers(1, 100), st.booleans(), st.integers(0, 2**32))
def test_nobody_waits_longer_than_a_minute_nor_asks_more_often_than_each_second(
    failures: int, has_work: bool, seed: int
) -> None:
    wait = Backoff(failures).wait(
        has_work=has_work,
        source=random.Random(seed),  # noqa: S311  # no secret
    )
    assert timedelta(seconds=1) <= wait <= IDLE
    assert has_work or wait == IDLE


def test_a_server_that_asks_for_time_gets_it() -> None:
    assert Backoff(1).wait(has_work=True, asked_for=timedelta(seconds=90)) == timedelta(seconds=90)


def queued(action: object, state: OperationState = OperationState.PENDING, **more: str) -> Queued:
    return Queued(1, "id-1", "m.sakai", action, datetime(2026, 11, 26, tzinfo=UTC), state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("memo", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "plain"])
def test_no_memo_becomes_a_formula(memo: str) -> None:
    operation = queued(Correction(1, date(2026, 11, 26), 90, memo, 0))
    data = export_csv([operation], read_state(FakeServer().state()))
    assert data.startswith(b"\xef\xbb\xbf")
    (line,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert line["Memo"].removeprefix("'") == memo
    assert line["Memo"][0] not in "=+-@\t＝"
    assert (line["Duration"], line["Minutes"], line["Task"]) == ("1:30", "90", "Gearbox housing drawing")


def test_an_exported_timer_has_a_line_for_each_day_and_a_refusal_its_reason() -> None:
    begin = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)  # 23:00 in Tokyo
    operation = queued(
        Stop("s", 1, begin, begin + timedelta(hours=2), "late"),
        OperationState.REFUSED,
        message="Closed.",
        remedy="Ask.",
    )
    text = export_csv([operation], read_state(FakeServer().state())).decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(line["Day"], line["From"], line["To"], line["Minutes"]) for line in lines] == [
        ("2026-11-26", "23:00", "24:00", "60"),
        ("2026-11-27", "00:00", "01:00", "60"),
    ]
    assert {line["Reason"] for line in lines} == {"Closed. Ask."}


@pytest.mark.parametrize("broken", ["person", "week", "tasks", "today"])
def test_a_state_that_is_not_as_agreed_is_refused_as_a_whole(broken: str) -> None:
    with pytest.raises(ReadingError):
        read_state({**FakeServer().state(), broken: 17})


def test_the_token_is_kept_by_the_system_if_it_can(tmp_path: Path, keystore: MemoryKeyStore) -> None:
    store = TokenStore(tmp_path / "token", keystore)
    store.write(SERVER, "secret")
    assert (store.read(SERVER), store.is_in_file) == ("secret", False)
    store.delete(SERVER)
    assert store.read(SERVER) is None
    store.delete(SERVER)


def test_without_a_key_store_the_token_is_in_a_file_of_this_user_alone(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "token", MemoryKeyStore(works=False))
    store.write(SERVER, "secret")
    assert (store.read(SERVER), store.is_in_file) == ("secret", True)
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert store.read("https://elsewhere.example.org") is None
    store.delete(SERVER)
    assert (store.read(SERVER), store.is_in_file) == (None, False)
