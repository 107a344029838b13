"""Rules that compile what makes their addresses when it is first needed."""

import pytest
from werkzeug.routing import Map

from app.routing import LazyRule


def test_nothing_is_compiled_until_an_address_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[object] = []
    monkeypatch.setattr(LazyRule, "_get_func_code", lambda *code: compiled.append(code))
    addresses = Map([LazyRule("/people/<int:person>/", endpoint="person")]).bind("example.org")
    assert addresses.match("/people/7/") == ("person", {"person": 7})
    assert compiled == []
    with pytest.raises(AttributeError):
        addresses.build("person", {"person": 7})
    assert compiled


def test_addresses_are_made_as_werkzeug_makes_them_time_and_again() -> None:
    addresses = Map([LazyRule("/people/<int:person>/", endpoint="person")]).bind("example.org")
    for _ in range(2):
        assert addresses.build("person", {"person": 7}) == "/people/7/"
        assert addresses.build("person", {"person": 7, "q": "a b"}) == "/people/7/?q=a+b"
        assert addresses.build("person", {"person": 8, "q": "a b"}, append_unknown=False) == "/people/8/"


def test_a_default_that_does_not_fit_is_known_when_the_rule_is_added() -> None:
    with pytest.raises(ValueError, match="seven"):
        Map([LazyRule("/people/<int:person>/", endpoint="person", defaults={"person": "seven"})])
