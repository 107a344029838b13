"""The address ``/``: the start page of the licensed edition, or a page that says why there is none."""

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from app.editions import registry
from app.editions.rehearsal import simple_rule
from app.errors import answer_locked_edition
from app.license.service import current_standing
from app.security import Audience, declare

blueprint = Blueprint("home", __name__)
declare(blueprint, Audience.MEMBER)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Answer as the start page of the licensed edition does, at this address and without a redirect."""
    standing = current_standing()
    endpoint = registry.start_page(standing)
    if endpoint is None:
        return _no_start_page(registry.licensed_edition(standing))
    obstacle = registry.obstacle(endpoint)
    if obstacle is not None:
        return answer_locked_edition(obstacle, registry.owner_of_endpoint(endpoint) or "")
    return _answer_as(endpoint)


def _answer_as(endpoint: str) -> ResponseReturnValue:
    """Go on as if ``endpoint`` had been asked for, whose feature is licensed.

    So its blueprint's hooks run as well, and relative endpoints and the navigation are right.
    """
    request.url_rule = next(rule for rule in current_app.url_map.iter_rules(endpoint) if simple_rule(rule))
    for name in reversed(request.blueprints):
        for hook in current_app.before_request_funcs.get(name, ()):
            answer: ResponseReturnValue | None = current_app.ensure_sync(hook)()
            if answer is not None:
                return answer
    return current_app.dispatch_request()


def _no_start_page(edition: str | None) -> ResponseReturnValue:
    is_loaded = edition is not None and edition in registry.known_editions()
    return render_template(
        "home/no_start_page.html",
        edition_title=registry.title_of_edition(edition) if edition is not None else "",
        edition_is_loaded=is_loaded,
    )
