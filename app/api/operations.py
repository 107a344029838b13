"""What a program asks for and is answered: checked against models, and described by them (OpenAPI 3.1).

An operation is a view that says with pydantic models what it takes and answers. What does not fit them never gets to
the view: the program is told which value is wrong. The document is made of the same models, so it says the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Annotated, Any, cast

from flask import Response, request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.api.reasons import NOT_JSON, PRECONDITION_FAILED, PRECONDITION_REQUIRED, REQUEST_INVALID
from app.editions.base import EditionBlueprint
from app.errors import API_PREFIX, answer_refusal
from app.refusal import Reason, Refusal
from app.security import Credential, Representation, Scope, needs

OPERATION = "timetracker_operation"
_LARGEST_ID = 2**63 - 1
_ERRORS_SHOWN = 20


def _plain(text: str) -> str:
    if any(not character.isprintable() and character not in "\n\t" for character in text):
        raise ValueError("holds control characters")
    return text


PlainText = Annotated[str, AfterValidator(_plain)]
"""Text without control characters but line breaks and tabs."""


def _written(pattern: str, example: str, read: Callable[[str], object]) -> BeforeValidator:
    """Take one way to write a value; pydantic takes several, as ``1_0`` for 10, or seconds since 1970 for a day."""
    way = re.compile(pattern, re.ASCII)

    def check(value: object) -> object:
        if not isinstance(value, str):
            return value
        if not way.fullmatch(value):
            raise ValueError(f"is not written as {example}")
        return read(value)

    return BeforeValidator(check)


PLAIN_NUMBER = _written("0|-?[1-9][0-9]{0,18}", "12", str)  # and read as a number in addresses alone
"""Of a whole number in an address; it stands behind the bounds, or OpenAPI is not told of them."""
_DAY = _written("[0-9]{4}-[0-9]{2}-[0-9]{2}", "2026-11-26", date.fromisoformat)
_INSTANT = _written("[0-9]{4}-[0-9]{2}-[0-9]{2}T.+", "2026-11-26T09:30:00+09:00", datetime.fromisoformat)

Id = Annotated[int, Field(ge=1, le=_LARGEST_ID), PLAIN_NUMBER]
"""A number that names something."""
Day = Annotated[date, Field(strict=True), _DAY]
"""A day as ISO 8601 has it in its longest form."""
Instant = Annotated[AwareDatetime, Field(strict=True), _INSTANT]
"""An instant with its offset (RFC 3339)."""


class ApiModel(BaseModel):
    """Base of what is taken and answered; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view answers besides a model alone."""

    model: BaseModel | None
    """None for an answer without a body."""
    version: int | str | None = None
    """Of what is answered: its ETag, which whoever changes it sends back."""
    is_tagged: bool = False
    """Whether its ETag is made of all that it says, where it has no version of its own."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation says about itself."""

    summary: str
    answers: type[BaseModel] | None
    path: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    versioned: bool
    invalid: Reason


class ApiBlueprint(EditionBlueprint):
    """A blueprint of resources below ``/api/v1``, for programs that bring a personal token.

    Each view is decorated with ``operation``, which names the scope; without one it is answered to nobody. Addresses
    are written from ``/api/v1`` on: ``@resources.get("/tasks")`` answers at ``/api/v1/tasks``.
    """

    def __init__(self, name: str, import_name: str, *, feature: str, permission: str | None = None) -> None:
        """Make the blueprint.

        Args:
            name: the name of the edition, or that name, an underscore and more.
            import_name: ``__name__`` of the module.
            feature: the feature that its resources need.
            permission: a permission that whoever asks must hold; None asks for none.
        """
        super().__init__(
            name,
            import_name,
            feature=feature,
            permission=permission,
            url_prefix=API_PREFIX,
            representation=Representation.PROBLEM_JSON,
            credential=Credential.API_TOKEN,
        )


def operation(
    summary: str,
    *,
    scope: Scope | None = None,
    answers: type[BaseModel] | None = None,
    path: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    versioned: bool = False,
    invalid: Reason = REQUEST_INVALID,
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Decorate a view of the API; stands below the route decorator.

    The view is called with ``path``, ``query`` and ``body``, each where there is a model for it, and returns a model,
    an ``Answer``, what ``changed_meanwhile`` has made, or None for an answer without a body.

    Args:
        summary: what it does, in one sentence without full stop.
        scope: what a personal token must be made for; without one none is taken. Devices have no scopes.
        answers: the model of the answer; None for none.
        path: the model of the parts of the address.
        query: the model of what stands behind ``?`` in the address.
        body: the model of the JSON that is sent.
        versioned: whether what it shows has a version (304 where the program has it), or it changes what has one, which
            the program has to send (428 where it does not).
        invalid: why a request is refused that does not fit; ``%(where)s`` is the first mistake and its place.
    """
    said = Operation(summary, answers, path, query, body, versioned, invalid)

    def mark(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def checked(**parts: Any) -> Response:
            try:
                given = _given(said, parts)
            except ValidationError as error:
                return _answer_invalid(error, invalid)
            return _answered(view(**given))

        setattr(checked, OPERATION, said)
        return checked if scope is None else needs(scope=scope)(checked)

    return mark


def _given(said: Operation, parts: Mapping[str, Any]) -> dict[str, BaseModel]:
    given: dict[str, BaseModel] = {}
    if said.path is not None:
        given["path"] = said.path.model_validate(dict(parts))
    if said.query is not None:
        given["query"] = said.query.model_validate(request.args.to_dict())
    if said.body is not None:
        if not request.is_json:
            raise Refusal(NOT_JSON)
        given["body"] = said.body.model_validate_json(request.get_data(), strict=True)
    return given


def _answer_invalid(error: ValidationError, reason: Reason) -> Response:
    """Name each value that is wrong; what was sent is not repeated."""
    errors = [
        {"field": ".".join(map(str, each["loc"])), "message": each["msg"]}
        for each in error.errors(include_url=False, include_context=False, include_input=False)[:_ERRORS_SHOWN]
    ]
    first = errors[0]
    where = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return answer_refusal(Refusal(reason, where=where), members={"field": first["field"], "errors": errors})


def _answered(result: Any) -> Response:
    if isinstance(result, Response):
        return result
    answer = result if isinstance(result, Answer) else Answer(result)
    if answer.model is None:
        return Response(status=204)
    response = Response(answer.model.model_dump_json(), mimetype="application/json")
    if answer.is_tagged:
        response.add_etag()
    elif answer.version is not None:
        response.set_etag(str(answer.version))
    is_shown = request.method in ("GET", "HEAD") and "ETag" in response.headers
    return _as_asked_for(response, answer) if is_shown else response


def _as_asked_for(response: Response, answer: Answer) -> Response:
    """304 for a program that has this version already, 412 for one that wants no other than it names."""
    if "If-Match" not in request.headers:
        return cast(Response, response.make_conditional(request))
    wanted, tag = request.if_match, response.get_etag()[0] or ""
    return response if wanted.star_tag or wanted.is_strong(tag) else changed_meanwhile(answer.model, tag)


def seen_tag() -> str | None:
    """The ETag that the program has seen of what it changes; None where it says that there is nothing yet.

    Raises:
        Refusal: ``precondition_required`` where it says neither, ``*`` included, which any version is; or
            ``precondition_failed`` where what it sends is no single ETag.
    """
    if request.if_none_match.star_tag:
        return None
    if "If-Match" not in request.headers or request.if_match.star_tag:
        raise Refusal(PRECONDITION_REQUIRED)
    tags = [tag or "" for tag in request.if_match.as_set()]  # Werkzeug reads an empty one as None
    if len(tags) != 1:
        raise Refusal(PRECONDITION_FAILED)
    return tags[0]


def seen_version() -> int:
    """The version that the program has seen of what it changes; 0 where it says that there is nothing yet.

    Raises:
        Refusal: as ``seen_tag``, and ``precondition_failed`` where what it sends can be no version.
    """
    tag = seen_tag()
    if tag is None:
        return 0
    if not (tag.isascii() and tag.isdecimal() and len(tag) < len(str(_LARGEST_ID))):
        raise Refusal(PRECONDITION_FAILED)
    return int(tag)


def changed_meanwhile(present: BaseModel | None, version: int | str) -> Response:
    """The answer to a program that has seen another version: 412, with what is there now."""
    shown = present.model_dump(mode="json") if present is not None else None
    response = answer_refusal(Refusal(PRECONDITION_FAILED), members={"present": shown})
    if version:
        response.set_etag(str(version))
    return response
