"""The document of the API (OpenAPI 3.1), made of what the operations say about themselves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from apispec import APISpec
from flask import Flask, current_app
from flask_babel import gettext
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from werkzeug.routing import Rule

from app.api.operations import OPERATION, ApiModel, Operation
from app.editions.texts import owner_of, text_of_edition
from app.security import Access, Credential
from app.version import __version__

_PART = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_REF = "#/components/schemas/{model}"
_SCHEMES = {Credential.API_TOKEN: "personalToken", Credential.DEVICE_TOKEN: "deviceToken"}
_DOCUMENT = "api_document"
_ABOUT = (
    "Refusals are problem+json (RFC 9457); their codes are those of the screens. What takes device tokens is for the"
    " desktop application, which is paired as RFC 8628 describes: its device authorization endpoint is"
    " /api/v1/desktop/pairing, its token endpoint /api/v1/desktop/token, and both are in no need of a description here."
)


class WrongValue(ApiModel):
    """One value of a request that is wrong."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request is refused (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    """The name of the reason, which never changes."""
    detail: str | None = None
    remedy: str | None = None
    field: str | None = None
    errors: list[WrongValue] | None = None


def api_document() -> Mapping[str, Any]:
    """The document of this process; made when it is first asked for, since nothing is registered after the start."""
    known: Mapping[str, Any] | None = current_app.extensions.get(_DOCUMENT)
    if known is None:
        known = current_app.extensions[_DOCUMENT] = _make(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to the application itself
    return known


@dataclass(frozen=True, slots=True)
class ListedOperation:
    """An operation as the page for people shows it."""

    method: str
    path: str
    summary: str
    """In the reader's language."""
    scope: str
    parameters: tuple[str, ...]
    body: tuple[str, ...]
    """Names of the values of the JSON that is sent."""
    answers: tuple[str, ...]
    """Names of the values of the JSON that is answered; none where nothing is."""
    versioned: bool


def listed_operations() -> tuple[ListedOperation, ...]:
    """Every operation that takes personal tokens, by address and method."""
    access: Mapping[str, Access] = current_app.extensions["access"]
    rules = [
        rule
        for rule in current_app.url_map.iter_rules()
        if _said(current_app, rule) is not None and access[rule.endpoint].credential is Credential.API_TOKEN
    ]
    listed = [_listed(rule, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return tuple(sorted(listed, key=lambda each: (each.path, each.method)))


def _listed(rule: Rule, method: str) -> ListedOperation:
    said: Operation = getattr(current_app.view_functions[rule.endpoint], OPERATION)
    access: Access = current_app.extensions["access"][rule.endpoint]
    owner = owner_of(rule.endpoint.rpartition(".")[0])
    return ListedOperation(
        method,
        _PART.sub(r"{\1}", rule.rule),
        gettext(said.summary) if owner is None else text_of_edition(owner, said.summary),
        access.scope or "",
        _names(said.path) + _names(said.query),
        _names(said.body),
        _names(said.answers),
        said.versioned,
    )


def _names(model: type[BaseModel] | None) -> tuple[str, ...]:
    return () if model is None else tuple(field.alias or name for name, field in model.model_fields.items())


def _make(app: Flask) -> dict[str, Any]:
    spec = APISpec(
        title="TimeTracker RX",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": _ABOUT},
        security=[{_SCHEMES[Credential.API_TOKEN]: []}],
    )
    for name in _SCHEMES.values():
        spec.components.security_scheme(name, {"type": "http", "scheme": "bearer"})
    operations = [(rule, said) for rule in app.url_map.iter_rules() if (said := _said(app, rule)) is not None]
    models = {Problem} | {model for _, said in operations for model in (said.answers, said.body) if model is not None}
    for name, schema in _schemas(frozenset(models)).items():
        spec.components.schema(name, schema)
    for rule, said in sorted(operations, key=lambda each: each[0].rule):
        access: Access = app.extensions["access"][rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            spec.path(
                _PART.sub(r"{\1}", rule.rule), operations={method.lower(): _described(rule, method, said, access)}
            )
    return spec.to_dict()


def _said(app: Flask, rule: Rule) -> Operation | None:
    return getattr(app.view_functions[rule.endpoint], OPERATION, None)


@cache
def _schemas(models: frozenset[type[BaseModel]]) -> dict[str, Any]:
    ordered = sorted(models, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "serialization") for model in ordered], ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _described(rule: Rule, method: str, said: Operation, access: Access) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": said.summary,
        "parameters": _parameters(said),
        "responses": _responses(method, said),
    }
    if access.scope is not None:
        described |= {"description": f"Scope: {access.scope}", "x-scope": access.scope}
    if access.credential is not Credential.API_TOKEN:
        described["security"] = [{_SCHEMES[access.credential]: []}]
    if said.body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(said.body)}}}
    return described


def _responses(method: str, said: Operation) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": _ref(Problem)}}
    statuses = {"401", "402", "403", "503"}
    statuses |= {"404"} if said.path else set()
    statuses |= {"422"} if said.path or said.query or said.body else set()
    statuses |= {"400", "413", "415"} if said.body else set()
    statuses |= {"412"} if said.versioned else set()
    statuses |= {"428"} if said.versioned and method != "GET" else set()
    statuses |= {"409"} if method != "GET" else set()
    good = {"description": said.summary}
    if said.answers is not None:
        good["content"] = {"application/json": {"schema": _ref(said.answers)}}  # type: ignore[assignment]  # a nested object
    refused = {status: {"description": "Refused", "content": problem} for status in sorted(statuses)}
    if said.versioned and method == "GET":
        refused["304"] = {"description": "The version of If-None-Match is the present one"}
    elif said.versioned or said.answers is None:
        refused["204"] = {"description": "Done, with nothing to say"}
    return {"200": good, **refused} if said.answers is not None else refused


def _parameters(said: Operation) -> list[dict[str, Any]]:
    found = [*_of_model(said.path, "path"), *_of_model(said.query, "query")]
    if said.versioned:
        found += [
            {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
            for name in ("If-Match", "If-None-Match")
        ]
    return found


def _of_model(model: type[BaseModel] | None, where: str) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=_REF, schema_generator=GenerateJsonSchema)
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": where, "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
