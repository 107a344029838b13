"""Domain errors and HTTP errors become answers: a page, or problem+json (RFC 9457) where the endpoint speaks it."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from flask import Flask, Response, current_app, g, jsonify, render_template, request, url_for
from flask.globals import request_ctx
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DatabaseError, DataError, OperationalError, ProgrammingError
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    ServiceUnavailable,
    Unauthorized,
)
from werkzeug.sansio.response import Response as WSGIResponse

from app.auth.reasons import TOKEN_INVALID
from app.editions import registry
from app.editions.failures import Part, report
from app.editions.texts import owner_of
from app.refusal import Refusal
from app.security import Access, Credential, Representation
from app.texts import code_texts, sentences
from app.translation import N_

_log = structlog.get_logger("timetracker.errors")


class PaymentRequired(HTTPException):
    """402: the feature exists and is not licensed. Werkzeug has no such class, and ``abort(402)`` would be a 500."""

    code = 402
    name = "Payment Required"
    description = "The feature is not licensed."

    def __init__(
        self, description: str | None = None, response: WSGIResponse | None = None, *, feature: str = ""
    ) -> None:
        super().__init__(description, response)
        self.feature = feature
        """Empty where a view says so with ``abort(402)``, which names none."""


@dataclass(frozen=True, slots=True)
class ErrorText:
    """What the page of one HTTP status says, as message ids."""

    title: str
    text: str


FIRST_ERROR_STATUS = 400
ERROR_TEXTS = {
    400: ErrorText(
        N_("This request could not be understood"),
        N_("Go back, load the page anew and try again."),
    ),
    402: ErrorText(
        N_("This feature is not licensed"),
        N_("The license of this installation does not include it. A system administrator can register one that does."),
    ),
    403: ErrorText(
        N_("This page is not for you"),
        N_("It takes a privilege that you do not have. Ask a system administrator if you need it."),
    ),
    404: ErrorText(
        N_("There is no such page"),
        N_("The address may be mistyped, or what was here has been removed."),
    ),
    405: ErrorText(
        N_("This address does not take that"),
        N_("Go back and use the buttons of the page."),
    ),
    413: ErrorText(
        N_("That is too large"),
        N_("Send less at once."),
    ),
    429: ErrorText(
        N_("Too many attempts"),
        N_("Wait a few minutes, then try again."),
    ),
}
REMEDIES: Mapping[int, str] = {
    404: N_("Check the address and what it names; /api/v1/docs lists all addresses."),
    405: N_("Use one of the methods that the header Allow names."),
}
"""What programs are told to do about errors that no reason of ours stands behind."""
EXPIRED_FORM = ErrorText(
    N_("This page was open for too long"),
    N_("Your session has changed since it was loaded. Go back, load it anew and send it again: nothing was changed."),
)


API_PREFIX = "/api/v1"
"""Where the addresses for programs begin."""


def is_for_programs() -> bool:
    """Whether the address is among those for programs; of one that leads nowhere, that is all there is to go by.

    It says in which form something is answered, and decides upon nothing else.
    """
    return request.path == API_PREFIX or request.path.startswith(f"{API_PREFIX}/")


def _representation() -> Representation:
    if request.endpoint is None:
        return Representation.PROBLEM_JSON if is_for_programs() else Representation.HTML
    access: Access | None = current_app.extensions["access"].get(request.endpoint)
    return access.representation if access is not None else Representation.HTML


def answer_refusal(
    error: Refusal | HTTPException,
    *,
    offers_logout: bool = False,
    before_detail: str = "",
    members: Mapping[str, object] | None = None,
) -> Response:
    """Make the answer that consists of one refusal: its code, message and remedy in the endpoint's own form.

    Args:
        error: why.
        offers_logout: whether a page has the button Log out.
        before_detail: a sentence with what is known here, such as a date.
        members: what problem+json has besides.
    """
    if isinstance(error, HTTPException):
        return _problem(error.code or 500, error.name, "http_error")
    texts = code_texts(error)
    if _representation() is Representation.PROBLEM_JSON:
        members = {**({"field": error.field} if error.field else {}), **(members or {})}
        detail = sentences(before_detail, texts.detail)
        problem = _problem(error.reason.status, texts.message, error.code, detail, texts.remedy, members)
        if error.retry_after is not None:
            problem.headers["Retry-After"] = str(error.retry_after)
        return problem
    retry_url = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else url_for("auth.login")
    page = render_template("auth/refused.html", refusal=texts, offers_logout=offers_logout, retry_url=retry_url)
    return Response(page, status=error.reason.status)


def answer_locked_edition(refusal: Refusal, edition: str) -> Response:
    """Make the answer of a page whose edition is locked: 503, why, and what the operator runs.

    The rest of the application works, so that whoever is logged in keeps their navigation.

    Args:
        refusal: why.
        edition: the name of the edition.
    """
    if _representation() is Representation.PROBLEM_JSON:
        return answer_refusal(refusal)
    texts = code_texts(refusal)
    page = render_template(
        "errors/error.html",
        status=refusal.reason.status,
        title=gettext("The edition %(edition)s cannot be used right now", edition=registry.title_of_edition(edition)),
        text=sentences(texts.message, texts.detail, texts.remedy),
        code=texts.code,
        action_label=gettext("Try again"),
        action_url=request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else "",
        request_id=g.get("request_id", ""),
    )
    return Response(page, status=refusal.reason.status)


def _problem(
    status: int,
    title: str,
    code: str,
    detail: str = "",
    remedy: str = "",
    members: Mapping[str, object] | None = None,
) -> Response:
    body = {"type": "about:blank", "status": status, "title": title, "code": code, **(members or {})}
    if detail:
        body["detail"] = detail
    if remedy:
        body["remedy"] = remedy
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    if status == Unauthorized.code:
        response.headers["WWW-Authenticate"] = _challenge(code)
    return response


def _challenge(code: str) -> str:
    """RFC 6750, section 3: a request without a token is told the scheme alone, one with a wrong token also that."""
    access: Access | None = current_app.extensions["access"].get(request.endpoint)
    if access is None or access.credential is Credential.SESSION:
        return "Session"
    error = ', error="invalid_token"' if code == TOKEN_INVALID.code else ""
    return f'Bearer realm="TimeTracker RX"{error}'


def _on_refusal(error: Refusal) -> Response:
    return answer_refusal(error)


def answer_http_error(error: HTTPException) -> Response:
    """Make the answer to an error of HTTP, in the endpoint's own form; a redirect of the router stays one."""
    if error.response is not None or (error.code or 0) < FIRST_ERROR_STATUS:
        return error.get_response()  # type: ignore[return-value]  # a redirect of the router
    status = error.code or 500
    if request_ctx.url_adapter is None:
        # The request came for a host that is not ours, or that is none: no address can be built for it.
        return Response(error.get_response().get_data(), status=status, mimetype="text/html")
    if _representation() is Representation.PROBLEM_JSON:
        return _with_headers(_problem_of(status, error), error)
    texts = EXPIRED_FORM if isinstance(error, CSRFError) else ERROR_TEXTS.get(status)
    texts = texts or ErrorText(error.name, ERROR_TEXTS[400].text)
    feature = error.feature if isinstance(error, PaymentRequired) else ""
    about = _licensed_where(feature) if feature else ""
    return _with_headers(_page(status, texts, about), error)


def _problem_of(status: int, error: HTTPException) -> Response:
    """The same for programs; what is not licensed is named, with what to do about it."""
    code = error.name.lower().replace(" ", "_")
    if not isinstance(error, PaymentRequired):
        remedy = REMEDIES.get(status)
        return _problem(status, error.name, code, remedy=gettext(remedy) if remedy else "")
    texts = ERROR_TEXTS[status]
    about, members = (_licensed_where(error.feature), {"feature": error.feature}) if error.feature else ("", None)
    return _problem(status, gettext(texts.title), code, about, gettext(texts.text), members)


def _licensed_where(feature: str) -> str:
    """Name the feature that is not licensed and the edition that brings it, for whoever asks for it."""
    title = registry.feature_titles().get(feature, feature)
    edition = registry.bringing(feature)
    if edition is None:
        return gettext("The feature is “%(feature)s”.", feature=title)
    return gettext("The feature is “%(feature)s”, available in %(edition)s.", feature=title, edition=edition)


def _page(status: int, texts: ErrorText, about: str = "") -> Response:
    if status in (InternalServerError.code, ServiceUnavailable.code):
        return plain_page(status, _whose_mistake(status))
    action_label, action_url = _way_on(status)
    page = render_template(
        "errors/error.html",
        status=status,
        title=gettext(texts.title),
        text=sentences(gettext(texts.text), about),
        action_label=action_label,
        action_url=action_url,
        request_id=g.get("request_id", ""),
    )
    return Response(page, status=status)


def _way_on(status: int) -> tuple[str, str]:
    """The label of the button and where it leads: who can register a license with the feature is led there."""
    identity = g.get("identity")
    if status == PaymentRequired.code and identity is not None and identity.is_system_administrator:
        return gettext("Open License"), url_for("license.show")
    return gettext("Go to the start page"), url_for("home.index")


_MISTAKE_OF_EDITION = (
    "The edition %s made a mistake on this page. The error is in the log and on System Operation → Editions.",
    "このページはエディション %s のもので、そこで問題が発生しました。エラーは「エディション」の画面で確認できます。",
)


def _whose_mistake(status: int) -> tuple[str, str] | None:
    """For administrators: which edition the page belongs to that has failed; reads nothing that may be broken."""
    identity = g.get("identity")
    edition = owner_of(request.blueprint) if request.blueprint else None
    if edition is None or status != InternalServerError.code or identity is None:
        return None
    english, japanese = _MISTAKE_OF_EDITION
    return (english % edition, japanese % edition) if identity.is_system_administrator else None


def plain_page(status: int, reason: tuple[str, str] | None = None, command: str = "") -> Response:
    """A page for when anything may be broken: it needs no database, session or catalogue.

    Args:
        status: 500 or 503.
        reason: what is the case, in English and in Japanese, since nobody knows the reader's language.
        command: what an operator runs to end it.
    """
    page = current_app.jinja_env.get_template("errors/plain.html").render(
        status=status,
        static_path=request.script_root + (current_app.static_url_path or ""),
        reason=reason,
        command=command,
        request_id=g.get("request_id", ""),
    )
    return Response(page, status=status)


def _with_headers(response: Response, error: HTTPException) -> Response:
    """Keep what the error itself says in headers, such as ``Allow`` of a 405."""
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _on_database_error(error: DatabaseError) -> Response:
    """A locked, full, corrupted or absent database: nothing was written, and it may well work in a moment."""
    if isinstance(error, DataError):
        return answer_http_error(BadRequest())  # a value that no column takes, such as a text with a NUL character
    if _is_mistake(error) and request.blueprint and owner_of(request.blueprint):
        return _on_exception(error)
    _report("database error", error)
    return answer_http_error(ServiceUnavailable())


def _is_mistake(error: DatabaseError) -> bool:
    """Whether a statement asks for what there is not, so that trying again is of no use; SQLite tells in words."""
    return isinstance(error, ProgrammingError) or (
        isinstance(error, OperationalError) and str(error.orig).startswith(("no such ", "near "))
    )


def _on_exception(error: Exception) -> Response:
    _report("unhandled exception", error)
    return answer_http_error(InternalServerError())


def _report(what: str, error: Exception) -> None:
    """Tell the log; and the administrators, where the page is an edition's."""
    edition = owner_of(request.blueprint) if request.blueprint else None
    if edition is None:
        _log.error(what, exc_info=error)
    else:
        report(Part(edition, f"page {request.endpoint}"), error)


def register_error_handlers(app: Flask) -> None:
    """Turn whatever leaves a view into an answer; no exception reaches the server."""
    app.aborter.mapping[PaymentRequired.code] = PaymentRequired
    app.register_error_handler(Refusal, _on_refusal)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(DatabaseError, _on_database_error)
    app.register_error_handler(Exception, _on_exception)
