"""The wording of forms: every text of WTForms that a form of ours could show is replaced by one of our own."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from wtforms.csrf.core import CSRFTokenField

import app
import plugins
from app.forms import WORDING, Form

_MARKED = re.compile(r"""\.n?gettext\(\s*(?:\(\s*)?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
NOT_FOR_PEOPLE = {"Invalid field name '%s'.", "Choices cannot be None."}
"""What WTForms says of a mistake in our own code."""


def forms() -> list[type[Form]]:
    """Every form of the application and its bundled editions."""
    for package in (app, plugins):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(".forms"):
                importlib.import_module(module.name)
    found: list[type[Form]] = []
    waiting = [Form]
    while waiting:
        children = waiting.pop().__subclasses__()
        found += children
        waiting += children
    return sorted(found, key=lambda form: (form.__module__, form.__name__))


def texts_of_wtforms(form: Form) -> Iterator[str]:
    """What the fields of ``form`` and their validators would say in the words of WTForms."""
    for field in form:
        parts = [field, *field.validators]
        kinds = {kind for part in parts for kind in type(part).__mro__ if kind.__module__.startswith("wtforms")}
        for kind in kinds - {*CSRFTokenField.__mro__} if not isinstance(field, CSRFTokenField) else ():
            for text in _MARKED.findall(inspect.getsource(kind)):
                yield text[1:-1]


def test_there_are_forms_to_look_at() -> None:
    assert {"LoginForm", "SetupForm", "AuditFilterForm", "GeneralForm"} <= {form.__name__ for form in forms()}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_form_speaks_in_the_words_of_wtforms(app: Flask, language: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        for kind in forms():
            form = kind()
            missing = set(texts_of_wtforms(form)) - set(WORDING) - NOT_FOR_PEOPLE
            assert not missing, f"{kind.__name__} could say {missing}"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_what_is_filled_in_wrongly_is_said_in_our_words(app: Flask, language: str) -> None:
    seen = set()
    with app.test_request_context(headers={"Accept-Language": language}):
        for kind in forms():
            names = [field.name for field in kind()]
            for typed in ("", "no such choice" * 200):
                form = kind(formdata=_Typed(dict.fromkeys(names, typed)), meta={"csrf": False})
                form.validate()
                seen |= {str(error) for field in form for error in field.errors}
    assert seen
    own = {"en": "Choose one of the list.", "ja": "一覧から選択してください。"}
    assert own[language] in seen
    assert not [text for text in seen if re.search(r"\b(Not a valid|Invalid|Field|This field)\b|無効|フィールド", text)]


class _Typed(dict[str, str]):
    """What was typed, as WTForms reads it."""

    def getlist(self, name: str) -> list[str]:
        return [self[name]] if name in self else []


def test_every_replaced_text_is_one_of_wtforms() -> None:
    import wtforms.fields  # noqa: PLC0415 - read as text, only here
    import wtforms.validators  # noqa: PLC0415 - as above

    sources = [inspect.getsource(wtforms.validators)]
    sources += [
        inspect.getsource(importlib.import_module(module.name))
        for module in pkgutil.iter_modules(wtforms.fields.__path__, "wtforms.fields.")
    ]
    known = {text[1:-1] for source in sources for text in _MARKED.findall(source)}
    assert set(WORDING) <= known
