"""The operations of the API as the page for people lists them: each value with its form, in the reader's language."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext
from pydantic import BaseModel
from werkzeug.routing import Rule

from app.api.operations import OPERATION, Operation
from app.editions.texts import owner_of, text_of_edition
from app.security import Access, Credential

PART = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
"""A part of an address as Werkzeug writes it."""
_DAY, _INSTANT = "2026-11-26", "2026-11-26T09:30:00+09:00"
_ANY_ID = 2**63 - 1
"""The largest number of a column; no bound that anybody has to know of."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListedValue:
    """A value that is sent or answered."""

    path: str
    """Its name behind those of what holds it: ``entries[].day``."""
    form: str
    """In the reader's language."""


@dataclass(frozen=True, slots=True)
class ListedOperation:
    """An operation that takes personal tokens."""

    method: str
    path: str
    summary: str
    """In the reader's language."""
    scope: str
    parameters: tuple[ListedValue, ...]
    body: tuple[ListedValue, ...]
    """Of the JSON that is sent."""
    answers: tuple[ListedValue, ...]
    """Of the JSON that is answered; none where nothing is."""
    versioned: bool


def listed_operations() -> tuple[ListedOperation, ...]:
    """Every operation that takes personal tokens, by address and method."""
    access: Mapping[str, Access] = current_app.extensions["access"]
    listed = [
        _listed(rule, method, said, access[rule.endpoint])
        for rule, said in operations()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if access[rule.endpoint].credential is Credential.API_TOKEN
    ]
    return tuple(sorted(listed, key=lambda each: (each.path, each.method)))


def operations() -> list[tuple[Rule, Operation]]:
    """Every operation with its address, in no order."""
    found = ((rule, current_app.view_functions[rule.endpoint]) for rule in current_app.url_map.iter_rules())
    return [(rule, getattr(view, OPERATION)) for rule, view in found if hasattr(view, OPERATION)]


def _listed(rule: Rule, method: str, said: Operation, access: Access) -> ListedOperation:
    owner = owner_of(rule.endpoint.rpartition(".")[0])
    return ListedOperation(
        method,
        PART.sub(r"{\1}", rule.rule),
        gettext(said.summary) if owner is None else text_of_edition(owner, said.summary),
        access.scope or "",
        values_of(said.path) + values_of(said.query),
        values_of(said.body),
        values_of(said.answers, answered=True),
        said.versioned,
    )


def values_of(model: type[BaseModel] | None, *, answered: bool = False) -> tuple[ListedValue, ...]:
    """Every value of a model, those that it holds behind whatever holds them.

    Args:
        model: None has no values.
        answered: whether it is answered, where nothing may be left out.
    """
    if model is None:
        return ()
    schema = model.model_json_schema(mode="serialization" if answered else "validation")
    return tuple(_values(schema, schema.get("$defs", {}), "", answered=answered))


def _values(schema: Schema, models: Mapping[str, Schema], before: str, *, answered: bool) -> Iterator[ListedValue]:
    needed = schema.get("required", ())
    for name, written in schema.get("properties", {}).items():
        value, is_nullable = _without_null(written)
        form = _form(_resolved(value, models))
        if is_nullable:
            form = gettext("%(form)s, or null", form=form)
        if not answered and name not in needed:
            form = gettext("%(form)s; may be left out", form=form)
        yield ListedValue(before + name, form)
        held, path = (value["items"], f"{before}{name}[].") if "items" in value else (value, f"{before}{name}.")
        yield from _values(_resolved(held, models), models, path, answered=answered)


def _without_null(value: Schema) -> tuple[Schema, bool]:
    forms = [form for form in value.get("anyOf", ()) if form.get("type") != "null"]
    return (forms[0], True) if len(forms) == 1 else (value, False)


def _resolved(value: Schema, models: Mapping[str, Schema]) -> Schema:
    return models[value["$ref"].rpartition("/")[2]] if "$ref" in value else value


def _form(value: Schema) -> str:
    choices = [value["const"]] if "const" in value else value.get("enum")
    if choices:
        return gettext("one of %(choices)s", choices=", ".join(map(str, choices)))
    return _FORMS.get(value.get("type", ""), _object)(value)


def _object(_: Schema) -> str:
    return gettext("object")


def _true_or_false(_: Schema) -> str:
    return gettext("true or false")


def _list(value: Schema) -> str:
    items = value.get("items", {})
    return gettext("list, each: %(form)s", form=_form(items)) if "type" in items else gettext("list")


def _whole_number(value: Schema) -> str:
    match value:
        case {"minimum": least, "maximum": most} if most < _ANY_ID:
            return gettext("whole number from %(least)s to %(most)s", least=least, most=most)
        case {"minimum": least}:
            return gettext("whole number from %(least)s on", least=least)
    return gettext("whole number")


def _text(value: Schema) -> str:
    match value:
        case {"format": "date"}:
            return gettext("day, such as %(example)s", example=_DAY)
        case {"format": "date-time"}:
            return gettext("instant with its offset, such as %(example)s", example=_INSTANT)
        case {"examples": [example, *_]}:
            return gettext("text, such as %(example)s", example=example)
        case {"maxLength": most}:
            return gettext("text of at most %(most)s characters", most=most)
    return gettext("text")


_FORMS: Mapping[str, Callable[[Schema], str]] = {
    "integer": _whole_number,
    "boolean": _true_or_false,
    "string": _text,
    "array": _list,
}
