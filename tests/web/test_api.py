"""The API of the core: who asks, what is licensed, the document, and what becomes of requests that do not fit."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from app.api.operations import Answer, ApiModel, Id, PlainText, operation, seen_version
from app.security import Audience, Credential, Representation, Scope, declare, resolve_access
from tests.conftest import ADMINISTRATOR, MEMBER, bearer

EVERY_SCOPE = " ".join(Scope)


class Item(ApiModel):
    """Something that is sent."""

    name: PlainText
    number: Id


class Place(ApiModel):
    """Where it is."""

    item: Id


def with_items(app: Flask) -> Flask:
    """Add a resource that takes whatever a resource can take."""
    items = Blueprint("items", __name__, url_prefix="/api/v1/items")
    declare(items, Audience.MEMBER, Representation.PROBLEM_JSON, credential=Credential.API_TOKEN)

    @items.put("/<item>")
    @operation("Keep", scope=Scope.DATA_WRITE, path=Place, body=Item, answers=Item, versioned=True)
    def keep(path: Place, body: Item) -> Answer:
        assert path.item == 1
        return Answer(body, version=seen_version() + 1)

    @items.get("/<item>")
    @operation("Show", scope=Scope.DATA_READ, path=Place, query=Item, answers=Item)
    def show(path: Place, query: Item) -> Answer:
        assert path.item == 1
        return Answer(query, version=7)

    app.register_blueprint(items)
    app.extensions["access"] = resolve_access(app)
    return app


@pytest.fixture
def api_app(licensed_app: Flask) -> Flask:
    return with_items(licensed_app)


def ask(app: Flask, path: str, login: str = MEMBER, *, scopes: str = EVERY_SCOPE, **more: Any) -> TestResponse:
    headers = {**bearer(app, login, scopes=scopes), **more.pop("headers", {})}
    return app.test_client().open(f"/api/v1{path}", headers=headers, **more)


def put(app: Flask, body: bytes | str, path: str = "/items/1", **headers: str) -> TestResponse:
    sent = {"Content-Type": "application/json", "If-None-Match": "*", **headers}
    return ask(app, path, method="PUT", data=body, headers=sent)


def test_who_the_token_belongs_to(licensed_app: Flask) -> None:
    answer = ask(licensed_app, "/me", scopes="profile.read")

    assert answer.status_code == 200
    assert answer.get_json() == {
        "login": MEMBER,
        "name": "Mio Sakai",
        "email": None,
        "language": None,
        "time_zone": "UTC",
        "system_administrator": False,
        "permissions": [],
        "scopes": ["profile.read"],
    }
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers


def test_the_standing_as_members_and_administrators_may_know_it(licensed_app: Flask) -> None:
    member = ask(licensed_app, "/standing").get_json()
    administrator = ask(licensed_app, "/standing", ADMINISTRATOR).get_json()

    assert (member["standing"], member["edition"]) == ("active", "standard")
    assert "timesheet.week" in member["features"]
    assert member["web"]["usable"]
    assert member["desktop"]["usable"]
    assert datetime.fromisoformat(member["desktop"]["until"]) < datetime.fromisoformat(member["web"]["until"])
    assert member["administration"] is None
    assert administrator["administration"]["seats"] == 50
    assert administrator["administration"]["registered_users"] == 2


def test_the_standing_says_that_maintenance_has_expired(licensed_app: Flask) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=150)):
        standing = ask(licensed_app, "/standing").get_json()

    assert standing["web"]["usable"]
    assert (standing["desktop"]["usable"], standing["desktop"]["code"]) == (False, "maintenance_expired")


def test_whoever_is_locked_out_by_the_license_is_told_why(licensed_app: Flask) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(days=250)):
        answer = ask(licensed_app, "/me")

    assert (answer.status_code, answer.get_json()["code"]) == (403, "license_expired")
    assert answer.mimetype == "application/problem+json"


def test_a_token_without_the_scope_reads_nothing(licensed_app: Flask) -> None:
    assert ask(licensed_app, "/me", scopes="data.read data.write").get_json()["code"] == "scope_missing"


def test_the_document_is_openapi_31_and_names_every_operation(api_app: Flask) -> None:
    document = api_app.test_client().get("/api/v1/openapi.json").get_json()

    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    takes_tokens = {
        f"{method} {rule.rule.replace('<', '{').replace('>', '}')}"
        for rule in api_app.url_map.iter_rules()
        for access in (api_app.extensions["access"][rule.endpoint],)
        if access.credential is not Credential.SESSION and access.audience is not Audience.PUBLIC
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == takes_tokens
    for path, methods in document["paths"].items():
        for described_operation in methods.values():
            if path.startswith("/api/v1/desktop/"):
                assert described_operation["security"] == [{"deviceToken": []}]
            else:
                assert described_operation["x-scope"] in set(Scope)


def test_a_request_that_fits_is_answered_with_its_version(api_app: Flask) -> None:
    answer = put(api_app, '{"name": "大森\\nfirst", "number": 12}', **{"If-None-Match": "", "If-Match": '"41"'})

    assert (answer.status_code, answer.get_json()) == (200, {"name": "大森\nfirst", "number": 12})
    assert answer.headers["ETag"] == '"42"'


def test_what_has_not_changed_is_not_sent_again(api_app: Flask) -> None:
    first = ask(api_app, "/items/1?name=a&number=1")
    again = ask(api_app, "/items/1?name=a&number=1", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        ("null", ""),
        ("NaN", ""),
        (b"\xff\xfe", ""),
        ('{"name": "a"}', "number"),
        ('{"name": "a", "number": "1"}', "number"),
        ('{"name": "a", "number": true}', "number"),
        ('{"name": "a", "number": 1.5}', "number"),
        ('{"name": "a", "number": 0}', "number"),
        ('{"name": "a", "number": 9223372036854775808}', "number"),
        ('{"name": "a", "number": ' + "9" * 4_000 + "}", "number"),
        ('{"name": "a", "number": 1e400}', "number"),
        ('{"name": 5, "number": 1}', "name"),
        ('{"name": null, "number": 1}', "name"),
        ('{"name": "a\\u0000b", "number": 1}', "name"),
        ('{"name": "\\ud800", "number": 1}', ""),
        ('{"name": "a", "number": 1, "more": 1}', "more"),
        ("[" * 100_000, ""),
    ],
)
def test_a_body_that_does_not_fit_is_told_where(api_app: Flask, body: bytes | str, field: str) -> None:
    answer = put(api_app, body)

    problem = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert (problem["code"], problem["field"]) == ("request_invalid", field)
    assert problem["errors"][0]["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_json_is_refused(api_app: Flask, content_type: str) -> None:
    answer = put(api_app, '{"name": "a", "number": 1}', **{"Content-Type": content_type})

    assert (answer.status_code, answer.get_json()["code"]) == (415, "not_json")


def test_a_body_that_is_too_large_is_refused(api_app: Flask) -> None:
    assert put(api_app, b" " * 1_000_001).status_code == 413


@pytest.mark.parametrize("item", ["0", "x", "-1", "9" * 30, "%00", "1.5", "%F0%9F%98%80"])
def test_an_address_that_names_nothing_is_told_where(api_app: Flask, item: str) -> None:
    answer = put(api_app, '{"name": "a", "number": 1}', f"/items/{item}")

    assert (answer.status_code, answer.get_json()["field"]) == (422, "item")


def test_what_is_not_there_or_not_taken_comes_with_a_remedy(api_app: Flask) -> None:
    nowhere, refused = (
        api_app.test_client().get("/api/v1/nowhere"),
        api_app.test_client().delete("/api/v1/openapi.json"),
    )

    assert (nowhere.status_code, "/api/v1/docs" in nowhere.get_json()["remedy"]) == (404, True)
    assert (refused.status_code, "Allow" in refused.get_json()["remedy"], "GET" in refused.headers["Allow"]) == (
        405,
        True,
        True,
    )


@pytest.mark.parametrize("query", ["", "name=a", "name=a&number=x", "name=%00&number=1", "name=a&number=1&more=2"])
def test_a_query_that_does_not_fit_is_told_where(api_app: Flask, query: str) -> None:
    answer = ask(api_app, f"/items/1?{query}")

    assert (answer.status_code, answer.get_json()["code"]) == (422, "request_invalid")


def test_a_change_names_the_version_that_it_changes(api_app: Flask) -> None:
    body = '{"name": "a", "number": 1}'

    for headers in ({}, {"If-Match": "*"}, {"If-None-Match": '"1"'}):
        missing = put(api_app, body, **{"If-None-Match": "", **headers})
        assert (missing.status_code, missing.get_json()["code"]) == (428, "precondition_required")
    for tag in ('""', '"x"', 'W/"1"', '"1", "2"', '"' + "9" * 30 + '"', "é"):
        answer = put(api_app, body, **{"If-None-Match": "", "If-Match": tag})
        assert (answer.status_code, answer.get_json()["code"]) == (412, "precondition_failed")


def test_people_read_the_document_as_a_page(licensed_app: Flask, member_client: FlaskClient) -> None:
    page = member_client.get("/api/v1/docs")

    assert (page.status_code, page.mimetype) == (200, "text/html")
    for text in ("GET /api/v1/me", "PUT /api/v1/entries/{day}/{task_id}", "data.write", "Who the token belongs to"):
        assert text in page.text
    for value, form in (
        ("day", "day, such as 2026-11-26"),
        ("task_id", "whole number from 1 on"),
        ("minutes", "whole number from 1 to 1440"),
        ("memo", "text of at most 1000 characters; may be left out"),
        ("week", "text, such as 2026-W48"),
        ("timer.started_at", "instant with its offset, such as 2026-11-26T09:30:00+09:00"),
        ("entries[].day", "day, such as 2026-11-26"),
        ("next_cursor", "text, or null"),
        ("timer", "object, or null"),
        ("days[].closed", "true or false"),
        ("features", "list, each: text"),
    ):
        assert f'<code>{value}</code> <span class="rx-muted">{form}</span>' in page.text
    assert "トークンの所有者" in member_client.get("/api/v1/docs", headers={"Accept-Language": "ja"}).text
    assert licensed_app.test_client().get("/api/v1/docs").location == "/login?next=/api/v1/docs"
