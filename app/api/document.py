"""The document of the API (OpenAPI 3.1), made of what the operations say about themselves."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from apispec import APISpec
from flask import Flask, current_app
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from werkzeug.routing import Rule

from app.api.listing import PART, operations
from app.api.operations import ApiModel, Operation
from app.security import Access, Credential
from app.version import __version__

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
    found = operations()
    models = {Problem} | {model for _, said in found for model in (said.answers, said.body) if model is not None}
    for name, schema in _schemas(frozenset(models)).items():
        spec.components.schema(name, schema)
    for rule, said in sorted(found, key=lambda each: each[0].rule):
        access: Access = app.extensions["access"][rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            spec.path(PART.sub(r"{\1}", rule.rule), operations={method.lower(): _described(rule, method, said, access)})
    return spec.to_dict()


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
