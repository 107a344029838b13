"""Settings of editions: declared, checked, stored, read through their objects, and changed by administrators."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from html import unescape
from types import ModuleType
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select

from app.database import read_connection, write_transaction
from app.editions import setting_changes
from app.editions.models import EditionSetting
from app.editions.setting_changes import ChangedMeanwhile, change_settings
from app.editions.settings import (
    ChoiceSetting,
    DateSetting,
    NumberSetting,
    Setting,
    SwitchSetting,
    TextSetting,
)
from app.extensions import db
from app.refusal import Refusal
from tests.conftest import ADMINISTRATOR, MEMBER, csrf_token
from tests.editions.conftest import Shelf, found_in, sound
from tests.editions.test_pages import EDITIONS, audit, browser, open_for_business

MakeApp = Callable[..., Flask]
PAGE = f"{EDITIONS}/acme"

WITH_SETTINGS = """
from datetime import date
from app.sdk import (
    ChoiceSetting, DateSetting, Edition, EditionBlueprint, Feature, N_, NumberSetting, SwitchSetting, TextSetting,
)

DAILY = NumberSetting("acme.daily_minutes", "Daily working time", default=480, maximum=1440, unit="minutes",
    hint="What a full day has.")
ROUND = SwitchSetting("acme.round", "Round to quarters", heading="Rounding")
UP = ChoiceSetting("acme.direction", "Direction", default="up", heading="Rounding",
    choices=(("up", "Upwards"), ("down", "Downwards")))
NOTE = TextSetting("acme.note", "Note <b>for</b> all", maximum_length=20, default="Hello")
SINCE = DateSetting("acme.since", "Counts since")

pages = EditionBlueprint("acme", __name__, feature="acme.board")

@pages.get("/")
def board():
    return f"{DAILY.value()} {ROUND.value()} {UP.value()} {NOTE.value()} {SINCE.value()}"

class Plugin(Edition):
    name = "acme"
    title = "Acme"
    api_version = 1
    features = (Feature("acme.board", "Board"),)
    settings = (DAILY, ROUND, UP, NOTE, SINCE)
    blueprints = (pages,)
"""
DELIVERED = "480 False up Hello None"


@pytest.fixture
def acme(shelf: Shelf, make_app: MakeApp) -> Flask:
    """The application with an edition that has settings, licensed."""
    shelf.install("acme", WITH_SETTINGS)
    return open_for_business(make_app, edition="acme")


def board(app: Flask) -> str:
    return browser(app).get("/acme/").text


def typed_in(client: FlaskClient) -> dict[str, str]:
    """What the form of the page would send, unchanged."""
    page = client.get(PAGE).text
    values = {"csrf_token": csrf_token(client, PAGE)}
    for tag in re.findall(r"<input [^>]+>", page.partition(f'action="{PAGE}"')[2].partition("</form>")[0]):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if attributes.get("type") != "checkbox" or " checked" in tag:
            values[attributes["name"]] = unescape(attributes.get("value", ""))
    chosen = re.search(r'<option selected value="(\w+)">', page)
    if chosen:
        values["setting_direction"] = chosen[1]
    return values


def save(client: FlaskClient, **changes: str | None) -> Any:
    sent = {name: value for name, value in {**typed_in(client), **changes}.items() if value is not None}
    return client.post(PAGE, data=sent)


def stored(app: Flask) -> dict[str, str]:
    with app.app_context(), read_connection() as connection:
        rows = connection.execute(select(EditionSetting.name, EditionSetting.value))
        return {row.name: row.value for row in rows}


def put(app: Flask, name: str, value: str, edition: str = "acme") -> None:
    with app.app_context(), write_transaction() as session:
        session.add(
            EditionSetting(edition=edition, name=name, value=value, changed_at=datetime.now(UTC), changed_by="somebody")
        )


# Kinds --------------------------------------------------------------------------------------------------------------

NUMBER = NumberSetting("acme.number", "Number", default=3, minimum=-5, maximum=1000)
TEXT = TextSetting("acme.text", "Text", maximum_length=10)
WORD = TextSetting("acme.word", "Word", default="x", required=True)
CHOICE = ChoiceSetting("acme.choice", "Choice", default="a", choices=(("a", "A"), ("b", "B")))
DAY = DateSetting("acme.day", "Day")
SWITCH = SwitchSetting("acme.switch", "Switch")
KINDS: tuple[Setting[Any], ...] = (NUMBER, TEXT, WORD, CHOICE, DAY, SWITCH)
each_kind = pytest.mark.parametrize("setting", KINDS, ids=lambda setting: setting.name)


@each_kind
@given(typed=st.text() | st.integers().map(str) | st.dates().map(str) | st.sampled_from(["true", "0", "a", "b", ""]))
def test_whatever_is_typed_is_either_refused_or_fits_and_survives_the_database(
    setting: Setting[Any], typed: str
) -> None:
    with suppress(Refusal):
        value = setting.parse(typed)
        assert setting.fits(value)
        assert setting.decode(setting.encode(value)) == value


@each_kind
@given(text=st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_whatever_is_stored_is_a_value_that_fits_or_a_value_error(setting: Setting[Any], text: object) -> None:
    raw = text if isinstance(text, str) else json.dumps(text)
    with suppress(ValueError):
        value = setting.decode(raw)
        assert setting.fits(value)
        assert setting.decode(setting.encode(value)) == value


@given(st.integers(min_value=-5, max_value=1000))
def test_every_number_within_the_bounds_is_taken_in_digits_of_any_width(number: int) -> None:
    wide = str(number).translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    assert NUMBER.parse(str(number)) == NUMBER.parse(f" {wide} ") == number


@pytest.mark.parametrize("typed", ["", "-6", "1001", "1_000", "1e2", "3.0", "0x3", "٣" * 30, "three", "9" * 5000])
def test_a_number_is_written_in_digits_and_within_the_bounds(typed: str) -> None:
    with pytest.raises(Refusal) as caught:
        NUMBER.parse(typed)
    assert caught.value.code == "setting_not_a_number"


@pytest.mark.parametrize(
    ("setting", "typed", "code"),
    [
        (TEXT, "x" * 11, "setting_too_long"),
        (TEXT, "a\nb", "setting_not_printable"),
        (TEXT, "a\x00b", "setting_not_printable"),
        (TEXT, "a\ud800", "setting_not_printable"),
        (WORD, "  ", "setting_empty"),
        (CHOICE, "c", "setting_not_a_choice"),
        (CHOICE, "", "setting_not_a_choice"),
        (DAY, "31.03.2027", "setting_not_a_day"),
        (DAY, "2027-02-30", "setting_not_a_day"),
        (DAY, "20270331", "setting_not_a_day"),
        (DAY, "2027-W13-3", "setting_not_a_day"),
        (SWITCH, "yes", "setting_not_a_switch"),
    ],
)
def test_each_kind_says_what_it_does_not_take(setting: Setting[Any], typed: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        setting.parse(typed)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (NUMBER, "true"),
        (NUMBER, "3.0"),
        (NUMBER, "1001"),
        (SWITCH, "1"),
        (TEXT, '" padded"'),
        (WORD, '""'),
        (CHOICE, '"c"'),
        (DAY, '"20270331"'),
        (DAY, "20270331"),
        (TEXT, "[" * 100_000),
        (TEXT, "not json"),
    ],
)
def test_what_does_not_fit_any_more_is_told_from_what_does(setting: Setting[Any], text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is for nobody
        setting.decode(text)


# What authors declare -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ("['x']", "settings is"),
        ("('x',)", "settings is"),
        ("(SwitchSetting('other.x', 'X'),)", "the setting name 'other.x' is not of the form acme.start"),
        ("(SwitchSetting('acme', 'X'),)", "the setting name 'acme'"),
        ("(SwitchSetting('acme.x', 'X'), SwitchSetting('acme.x', 'X'))", "acme.x is declared twice"),
        ("(SwitchSetting('acme.x', ''),)", "title, hint and heading"),
        ("(SwitchSetting('acme.x', 'X', hint=None),)", "title, hint and heading"),
        ("(SwitchSetting('acme.x', 'X', default=1),)", "its default is 1"),
        ("(NumberSetting('acme.x', 'X', default=5, maximum=4),)", "its default is 5"),
        ("(NumberSetting('acme.x', 'X', default=True),)", "its default is True"),
        ("(NumberSetting('acme.x', 'X', default=5, minimum=6, maximum=6),)", "minimum is not below maximum"),
        ("(NumberSetting('acme.x', 'X', default=5, maximum=1e3),)", "not whole numbers"),
        ("(NumberSetting('acme.x', 'X', default=5, unit=3),)", "unit is not a text"),
        ("(TextSetting('acme.x', 'X', maximum_length=0),)", "maximum_length"),
        ("(TextSetting('acme.x', 'X', required=True),)", "its default is ''"),
        ("(ChoiceSetting('acme.x', 'X', default='a', choices=(('a', 'A'),)),)", "fewer than two"),
        ("(ChoiceSetting('acme.x', 'X', default='a', choices=(('a', 'A'), ('a', 'B'))),)", "fewer than two"),
        ("(ChoiceSetting('acme.x', 'X', default='a', choices=(('a', 'A'), 'bB')),)", "pairs of texts"),
        ("(ChoiceSetting('acme.x', 'X', default='c', choices=(('a', 'A'), ('b', 'B'))),)", "its default is 'c'"),
        ("(DateSetting('acme.x', 'X', default='2027-03-31'),)", "its default is '2027-03-31'"),
        (f"(SwitchSetting('acme.{'x' * 60}', 'X'),)", "is not of the form"),
    ],
)
def test_a_setting_that_is_declared_wrongly_is_explained(
    shelf: Shelf, start: Callable[..., Flask], declared: str, problem: str
) -> None:
    kinds = "from app.sdk import ChoiceSetting, DateSetting, NumberSetting, SwitchSetting, TextSetting\n"
    shelf.install("acme", kinds + sound(settings=declared))
    found = found_in(start(), "acme")
    assert found.refusal is not None
    assert found.refusal.code == "edition_malformed"
    assert problem in str(found.refusal.params["problem"])


def test_a_setting_that_is_not_declared_is_an_error_where_it_is_read(acme: Flask) -> None:
    with acme.app_context(), pytest.raises(LookupError, match=r"acme\.forgotten is not among the settings"):
        SwitchSetting("acme.forgotten", "Forgotten").value()


def test_a_setting_of_an_edition_that_is_not_loaded_keeps_what_was_decided(acme: Flask) -> None:
    put(acme, "gone.number", "7", edition="gone")
    with acme.app_context():
        assert NumberSetting("gone.number", "Number", default=3).value() == 7


# Reading --------------------------------------------------------------------------------------------------------------


def test_what_nobody_has_touched_has_its_default(acme: Flask) -> None:
    assert board(acme) == DELIVERED
    assert stored(acme) == {}


def test_what_is_stored_counts(acme: Flask) -> None:
    for name, value in {"daily_minutes": "450", "round": "true", "note": '"日本"', "since": '"2027-04-01"'}.items():
        put(acme, f"acme.{name}", value)
    assert board(acme) == "450 True up 日本 2027-04-01"


def test_what_does_not_fit_any_more_counts_as_the_default_and_is_logged_once(
    acme: Flask, capfd: pytest.CaptureFixture[str]
) -> None:
    put(acme, "acme.daily_minutes", "9999")
    client = browser(acme)
    capfd.readouterr()
    for _ in range(2):
        assert client.get("/acme/").text == DELIVERED
    written = capfd.readouterr()
    assert (written.out + written.err).count("acme.daily_minutes") == 1
    assert stored(acme) == {"acme.daily_minutes": "9999"}


def test_a_page_reads_all_its_settings_with_one_statement_and_without_them_none(acme: Flask) -> None:
    client = browser(acme)
    client.get("/acme/")
    statements: list[str] = []
    with acme.app_context():
        engines = list(db.engines.values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    client.get("/acme/")
    assert [statement for statement in statements if "edition_settings" in statement] == statements[1:]
    assert len(statements) == 2
    statements.clear()
    client.get("/account")
    assert not [statement for statement in statements if "edition_settings" in statement]


def test_outside_a_request_each_reading_is_fresh(acme: Flask) -> None:
    with acme.app_context():
        (daily, *_) = setting_changes.settings_of("acme")
        assert daily.value() == 480
        put(acme, "acme.daily_minutes", "1")
        assert daily.value() == 1
        assert "edition_settings" not in g


# Changing -------------------------------------------------------------------------------------------------------------


def test_an_administrator_changes_settings_and_they_count_at_once(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    member = browser(acme)
    answer = save(
        administrator,
        setting_daily_minutes=" ４５０ ",
        setting_round="y",
        setting_direction="down",
        setting_note="<i>hi</i>",
        setting_since="2027-04-01",
    )
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = administrator.get(PAGE).text
    assert "The settings are saved" in page
    assert "&lt;i&gt;hi&lt;/i&gt;" in page
    assert "Note &lt;b&gt;for&lt;/b&gt; all" in page
    assert member.get("/acme/").text == "450 True down <i>hi</i> 2027-04-01"
    assert audit(acme, "edition.settings") == [
        (
            "edition.settings",
            "acme",
            ADMINISTRATOR,
            None,
            {
                "acme.daily_minutes": 450,
                "acme.round": True,
                "acme.direction": "down",
                "acme.note": "<i>hi</i>",
                "acme.since": "2027-04-01",
            },
        )
    ]


def test_only_what_was_changed_is_stored_and_recorded(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    assert "Nothing was changed." in administrator.get(save(administrator).location).text
    save(administrator, setting_daily_minutes="1")
    assert stored(acme) == {"acme.daily_minutes": "1"}
    save(administrator, setting_daily_minutes="480")
    assert [entry[4] for entry in audit(acme, "edition.settings")] == [
        {"acme.daily_minutes": 1},
        {"acme.daily_minutes": 480},
    ]


def test_what_was_typed_survives_with_the_error_at_its_field(acme: Flask) -> None:
    administrator = browser(acme, ADMINISTRATOR)
    answer = save(
        administrator,
        setting_daily_minutes="<many>",
        setting_note="x" * 21,
        setting_since="soon",
        setting_direction="sideways",
    )
    assert answer.status_code == 422
    assert 'value="&lt;many&gt;"' in answer.text
    assert f'value="{"x" * 21}"' in answer.text
    assert 'value="soon"' in answer.text
    for text in ("This is not a whole number from 0 to 1440.", "This has 21 characters", "This is not a day."):
        assert text in answer.text
    assert answer.text.count('aria-invalid="true"') == 4
    assert "Nothing is saved yet" in answer.text
    assert stored(acme) == {}


def test_two_administrators_who_change_different_settings_both_get_what_they_want(acme: Flask) -> None:
    first, second = browser(acme, ADMINISTRATOR), browser(acme, ADMINISTRATOR)
    opened = typed_in(first)
    save(second, setting_note="Second")
    assert first.post(PAGE, data={**opened, "setting_daily_minutes": "300"}).status_code == 303
    assert board(acme) == "300 False up Second None"


def test_of_two_administrators_who_change_the_same_setting_the_later_one_is_asked(acme: Flask) -> None:
    first, second = browser(acme, ADMINISTRATOR), browser(acme, ADMINISTRATOR)
    opened = typed_in(first)
    save(second, setting_daily_minutes="420", setting_note="Second")
    answer = first.post(PAGE, data={**opened, "setting_daily_minutes": "300", "setting_round": "y"})
    assert answer.status_code == 409
    assert "Somebody else has changed this meanwhile: now it is “420 minutes”." in answer.text
    assert 'value="300"' in answer.text
    assert 'value="Second"' in answer.text
    assert board(acme) == "420 False up Second None"
    again = dict(re.findall(r'name="(seen)" value="([^"]*)"', answer.text))
    sent = {**opened, "seen": unescape(again["seen"]), "setting_note": "Second", "setting_daily_minutes": "300"}
    assert first.post(PAGE, data=sent).status_code == 303
    assert board(acme) == "300 False up Second None"


@pytest.mark.parametrize("seen", ["", "[]", "nonsense", "[" * 100_000, '{"acme.daily_minutes": "x"}', "\u0000"])
def test_a_form_that_does_not_say_what_was_seen_is_taken_at_its_word(acme: Flask, seen: str) -> None:
    client = browser(acme, ADMINISTRATOR)
    assert save(client, seen=seen, setting_daily_minutes="300").status_code == 303
    assert stored(acme) == {"acme.daily_minutes": "300"}


def test_the_service_tells_conflicts_by_name(acme: Flask) -> None:
    with acme.app_context():
        values = dict(setting_changes.present_values("acme"))
        assert change_settings("acme", {**values, "acme.note": "First"}, seen=values, actor="somebody")
        with pytest.raises(ChangedMeanwhile) as caught:
            change_settings("acme", {**values, "acme.note": "Second"}, seen=values, actor="somebody")
        assert caught.value.conflicts == {"acme.note"}
        assert caught.value.present["acme.note"] == "First"
        assert not change_settings("acme", {**values, "acme.note": "First"}, seen=values, actor="somebody")


def test_members_neither_see_nor_change_settings(acme: Flask) -> None:
    member = browser(acme, MEMBER)
    assert member.get(PAGE).status_code == 403
    assert member.post(PAGE, data={"setting_daily_minutes": "1"}).status_code in (400, 403)
    assert stored(acme) == {}


def test_changing_needs_the_token_of_the_session(acme: Flask) -> None:
    client = browser(acme, ADMINISTRATOR)
    assert client.post(PAGE, data={"setting_daily_minutes": "1"}).status_code == 400


def test_settings_are_changed_whatever_the_license_says(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("acme", WITH_SETTINGS)
    app = open_for_business(make_app)  # a license for another edition
    assert save(browser(app, ADMINISTRATOR), setting_note="Early").status_code == 303
    assert stored(app) == {"acme.note": '"Early"'}


# The page of one edition ----------------------------------------------------------------------------------------------


def test_the_page_of_an_edition_says_what_it_is_and_what_it_brings(shelf: Shelf, make_app: MakeApp) -> None:
    source = sound(
        extends="'standard'",
        description="'Boards <b>for all</b>.'",
        requires_app="'>=0.1'",
        permissions="(Permission('acme.approve', 'Approve hours', 'May approve.'),)",
    )
    public = '\n@pages.get("/hook")\n@open_to(Audience.PUBLIC)\ndef hook():\n    return "hooked"\n'
    shelf.install("acme", "from app.sdk import Audience, Permission, open_to\n" + source + public)
    page = browser(open_for_business(make_app), ADMINISTRATOR).get(PAGE).text
    for text in (
        "Boards &lt;b&gt;for all&lt;/b&gt;.",
        "acme-package",
        "1.2.3",
        "app.sdk 1",
        "&gt;=0.1",
        "Standard",
        "available in Acme",
        "Approve hours",
        "May approve.",
        "acme.approve",
        "1 page of it is answered to the whole network",
        "/acme/hook",
    ):
        assert text in page, text
    assert f'action="{PAGE}"' not in page


def test_the_page_of_an_edition_says_what_is_licensed(acme: Flask) -> None:
    page = browser(acme, ADMINISTRATOR).get(PAGE).text
    assert "available in" not in page
    assert "From 0 to 1440." in page
    assert ">minutes<" in page
    assert "<legend>Rounding</legend>" in page
    assert f'href="{PAGE}"' in browser(acme, ADMINISTRATOR).get(EDITIONS).text


@pytest.mark.parametrize("name", ["broken", "future"])
def test_an_edition_that_is_not_loaded_has_its_page_without_settings(
    shelf: Shelf, make_app: MakeApp, name: str
) -> None:
    shelf.install("broken", "raise RuntimeError('<script>alert(1)</script>')")
    shelf.install("future", WITH_SETTINGS.replace("acme", "future").replace("api_version = 1", "api_version = 2"))
    client = browser(open_for_business(make_app), ADMINISTRATOR)
    answer = client.get(f"{EDITIONS}/{name}")
    assert answer.status_code == 200
    assert "<form" in answer.text
    assert f'action="{EDITIONS}/{name}"' not in answer.text
    assert "<script>alert" not in answer.text
    assert ("Traceback (most recent call last)" in answer.text) == (name == "broken")
    sent = client.post(f"{EDITIONS}/{name}", data={"csrf_token": csrf_token(client, EDITIONS)}, follow_redirects=True)
    assert f"The edition {name} is not loaded" in sent.text


def test_an_edition_that_is_not_installed_has_no_page(admin_client: FlaskClient) -> None:
    assert admin_client.get(f"{EDITIONS}/nothing").status_code == 404


def test_a_duplicate_has_the_page_of_the_edition_that_counts(shelf: Shelf, make_app: MakeApp) -> None:
    shelf.install("standard", sound("standard"), package="impostor")
    client = browser(open_for_business(make_app), ADMINISTRATOR)
    assert client.get(EDITIONS).text.count(f'<h2 class="rx-break"><a href="{EDITIONS}/standard">') == 1
    assert "impostor" not in client.get(f"{EDITIONS}/standard").text


def test_a_setting_may_be_called_like_anything_on_a_form(shelf: Shelf, make_app: MakeApp) -> None:
    names = ("data", "errors", "validate", "csrf_token", "seen", "meta", "settings")
    settings = "".join(f"TextSetting('acme.{name}', '{name}')," for name in names)
    shelf.install("acme", "from app.sdk import TextSetting\n" + sound(settings=f"({settings})"))
    app = open_for_business(make_app)
    client = browser(app, ADMINISTRATOR)
    sent = {"csrf_token": csrf_token(client, PAGE), **{f"setting_{name}": f"my {name}" for name in names}}
    assert client.post(PAGE, data=sent).status_code == 303
    assert stored(app) == {f"acme.{name}": f'"my {name}"' for name in names}


def test_an_author_reads_values_of_the_type_that_was_declared() -> None:
    number: NumberSetting = NUMBER
    day: date | None = DAY.default
    assert (number.default, day, isinstance(SWITCH, Setting)) == (3, None, True)


def test_the_kinds_of_settings_are_part_of_the_kit() -> None:
    sdk: ModuleType = __import__("app.sdk", fromlist=["sdk"])
    for kind in (*map(type, KINDS), Setting):
        assert kind.__name__ in sdk.__all__
