"""The rehearsal: an edition's pages are set up on an application that nobody sees, and looked at, before the real one.

What fails or reaches beyond its own pages is found here, so that nothing of it is ever left on the real application.
"""

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sansio.blueprints import Blueprint
from werkzeug.routing import Rule

from app.editions import reasons
from app.editions.manifest import Manifest, check_templates, is_own_name, malformed
from app.editions.slots import SLOTS
from app.navigation import NavItem
from app.refusal import Refusal
from app.security import Access, Audience, Credential, lost_declaration, resolve_access, serving_static_files

RESERVED_SEGMENTS = frozenset(
    {"account", "api", "healthz", "login", "logout", "metrics", "readyz", "settings", "setup", "static"}
)
"""First parts of addresses that are the core's, whether or not it answers all of them by now."""
RESERVED_COMMANDS = frozenset(
    {"db", "doctor", "edition", "evaluation", "license", "routes", "run", "setup-code", "shell", "user"}
)
"""First words of commands that are the core's or Flask's."""
_HOOKS = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
)
_JINJA = ("filter", "test", "global")
_OF_APPLICATION = (
    "wsgi_app",
    "session_interface",
    "json",
    "request_class",
    "response_class",
    "aborter",
    "subdomain_matching",
)
_OF_JINJA = ("autoescape", "undefined", "finalize", "loader")
_API = "/api/v1/"
"""Below it editions may have resources, whose names are taken one by one."""
_ARGUMENT = re.compile(r"<[^>]*>")
CORE = "the core"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an edition meets on the application: the addresses and features of the core and of those before it."""

    segments: frozenset[str]
    """First parts of addresses that no edition may use."""
    patterns: Mapping[str, str]
    """Addresses of the editions before, with the edition that each belongs to."""
    features: Collection[str]
    """Names of all features that those editions declare."""
    permissions: Collection[str]
    """Names of all permissions that those editions declare."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What the rehearsal found: the addresses, and for each endpoint what the gate will go by."""

    patterns: tuple[str, ...]
    access: Mapping[str, Access]
    undeclared: tuple[str, ...]
    """Endpoints that no feature is declared for; the gate answers them to nobody."""
    count: int


def core_segments(app: Flask) -> frozenset[str]:
    """The first parts of the addresses that ``app`` answers so far, and those that are reserved."""
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    resources = {_resource(rule) for rule in rules if rule.startswith(_API)}
    return RESERVED_SEGMENTS | {_first_segment(rule) for rule in rules} | resources


def core_template_folders() -> frozenset[str]:
    """Folders of the core's templates, which are found before those of an edition of the same name."""
    return frozenset(entry.name for entry in files("app.templates").iterdir() if entry.is_dir())


def rehearse(app: Flask, manifest: Manifest, surroundings: Surroundings) -> Pages:
    """Set up the pages of one edition on a scratch application with the configuration of ``app``.

    Raises:
        Refusal: ``edition_malformed`` or ``edition_address_taken``.
        Exception: whatever the edition's own code raises.
    """
    if manifest.name in app.blueprints or manifest.name in core_template_folders():
        raise malformed(f"the name {manifest.name} is the core's")
    if manifest.commands and manifest.name in RESERVED_COMMANDS:
        raise malformed(f"the commands of flask {manifest.name} are the core's")
    _check_calls(manifest)
    scratch = Flask(app.import_name, static_folder=None, template_folder=None)
    scratch.url_rule_class = app.url_rule_class
    scratch.config.update(app.config)
    scratch.extensions.update(app.extensions)
    before = _reach(scratch)
    for blueprint in manifest.blueprints:
        scratch.register_blueprint(blueprint)
    _check_reach(manifest, before, _reach(scratch), app)
    for name, registered in scratch.blueprints.items():
        _check_static_files(name, registered)
        check_templates(manifest.name, registered)
    for endpoint, view in scratch.view_functions.items():
        _check_view(scratch, endpoint, view)
    for rule in scratch.url_map.iter_rules():
        _check_rule(rule)
    rules = [rule for rule in scratch.url_map.iter_rules() if not rule.endpoint.endswith(".static")]
    patterns = tuple(_pattern(rule) for rule in scratch.url_map.iter_rules())
    for pattern in patterns:
        _check_address(pattern, surroundings)
    access = resolve_access(scratch)
    _check_needs(manifest, access, surroundings)
    _check_start_page(manifest, access, rules)
    for item in manifest.navigation:
        _check_nav_item(item, rules)
    endpoints = {rule.endpoint for rule in rules}
    return Pages(patterns, access, tuple(sorted(endpoints - access.keys())), len({rule.rule for rule in rules}))


def _reach(app: Flask) -> Mapping[str, object]:
    """Everything on ``app`` that is not of one blueprint's own requests alone, by words for the author."""
    own = set(app.blueprints)
    reach: dict[str, object] = {
        f"{kind} of {scope or 'all pages'}": tuple(functions)
        for kind in _HOOKS
        for scope, functions in getattr(app, kind).items()
        if scope not in own and functions
    }
    for scope, by_code in app.error_handler_spec.items():
        if scope not in own and any(by_code.values()):
            reach[f"error handlers of {scope or 'all pages'}"] = True
    reach["teardown_appcontext_funcs of all pages"] = tuple(app.teardown_appcontext_funcs)
    reach.update((f"blueprint {name}", True) for name in own)
    reach.update((f"command {name}", command) for name, command in app.cli.commands.items())
    for kind in _JINJA:
        reach.update((f"template_{kind} {name}", value) for name, value in getattr(app.jinja_env, f"{kind}s").items())
    for endpoint in {*app.view_functions, *(rule.endpoint for rule in app.url_map.iter_rules())}:
        if endpoint.rpartition(".")[0] not in own:
            reach[f"the endpoint {endpoint}, outside its blueprints"] = True
    reach.update((f"url_converter {name}", value) for name, value in app.url_map.converters.items())
    reach.update((f"config {name}", value) for name, value in app.config.items())
    reach.update((f"app.{name}", getattr(app, name)) for name in _OF_APPLICATION)
    reach.update((f"jinja_env.{name}", getattr(app.jinja_env, name)) for name in _OF_JINJA)
    reach["shell_context_processors of all pages"] = tuple(app.shell_context_processors)
    reach["url_build_error_handlers of all pages"] = tuple(app.url_build_error_handlers)
    reach["jinja_env.extensions"] = tuple(app.jinja_env.extensions)
    return reach


def _check_reach(manifest: Manifest, before: Mapping[str, object], after: Mapping[str, object], app: Flask) -> None:
    """Refuse what changes pages that are not the edition's.

    Commands, converters and what it gives to templates carry its name. What begins with the name of an edition called
    ``local`` may still be the core's ``local_date``, so it must not be on ``app`` either.
    """
    taken = {f"template_{kind} {name}" for kind in _JINJA for name in getattr(app.jinja_env, f"{kind}s")}
    taken.update(f"url_converter {name}" for name in app.url_map.converters)
    for what, value in after.items():
        if what in before and before[what] == value:
            continue
        kind, _, name = what.partition(" ")
        named = kind in ("command", "blueprint", "url_converter", *(f"template_{jinja}" for jinja in _JINJA))
        if not named or what in taken or not is_own_name(name.partition(".")[0], manifest.name):
            raise malformed(f"it changes more than its own pages ({what})")


def _check_static_files(name: str, blueprint: Blueprint) -> None:
    """Static files are answered to everybody, so they lie in a folder that holds nothing else."""
    if blueprint.static_folder is None:
        return
    wanted = Path(blueprint.root_path) / "static"
    if Path(blueprint.static_folder) != wanted:
        raise malformed(f"the static files of the blueprint {name} lie in {blueprint.static_folder}, not in {wanted}")


def _check_view(app: Flask, endpoint: str, view: Callable[..., Any]) -> None:
    """Refuse a view that the gate would take for something else than its author does."""
    owner, _, action = endpoint.rpartition(".")
    if action == "static" and view != serving_static_files(app.blueprints[owner]):
        raise malformed(f"{endpoint} is no name for a page: static files have it, which are answered to everybody")
    try:
        app.ensure_sync(view)
    except RuntimeError:
        raise malformed(f"{endpoint} is asynchronous, and this application cannot wait for it") from None
    if lost_declaration(view):
        raise malformed(
            f"what is declared for {endpoint} does not reach it: a decorator between needs functools.wraps, "
            "and a class has what it needs in its decorators"
        )


def _check_rule(rule: Rule) -> None:
    """Refuse addresses that lead past the gate, or nowhere."""
    if rule.redirect_to is not None or rule.websocket or rule.build_only or rule.subdomain or rule.host:
        raise malformed(
            f"the address {rule.rule} has redirect_to, websocket, build_only, a subdomain or a host, and could not be "
            "answered as a page"
        )


def _first_segment(address: str) -> str:
    return address.split("/")[1] if address.startswith("/") else ""


def _resource(address: str) -> str:
    """The first part of an address below that of the API, with the API's own before it."""
    return _API + address.removeprefix(_API).split("/")[0]


def _pattern(rule: Rule) -> str:
    return _ARGUMENT.sub("<>", rule.rule)


def _check_address(pattern: str, surroundings: Surroundings) -> None:
    segment = _first_segment(pattern)
    if not segment or "<" in segment:
        raise malformed(f"the address {pattern} begins with no name of its own")
    if pattern.startswith(_API) and "<" not in _resource(pattern):
        if _resource(pattern) in surroundings.segments:
            raise Refusal(reasons.ADDRESS_TAKEN, address=_resource(pattern), owner=CORE)
    elif segment in surroundings.segments:
        raise Refusal(reasons.ADDRESS_TAKEN, address=f"/{segment}", owner=CORE)
    if pattern in surroundings.patterns:
        raise Refusal(reasons.ADDRESS_TAKEN, address=pattern, owner=surroundings.patterns[pattern])


def _check_needs(manifest: Manifest, access: Mapping[str, Access], surroundings: Surroundings) -> None:
    """Refuse a page, card or slot that needs what nobody declares, so that nobody could ever see it."""
    features = {feature.name for feature in manifest.features}.union(surroundings.features)
    permissions = {permission.name for permission in manifest.permissions}.union(surroundings.permissions)
    needed = [(endpoint, declared.feature, declared.permission) for endpoint, declared in access.items()]
    needed += [(f"the card {card.name}", card.feature, card.permission) for card in manifest.cards]
    needed += [(f"what it adds to {content.slot}", content.feature, content.permission) for content in manifest.slots]
    for item in manifest.navigation:
        needed += [(f"navigation to {item.endpoint}", item.feature, name) for name in item.permissions or (None,)]
    for what, feature, permission in needed:
        if feature is not None and feature not in features:
            raise malformed(f"{what} asks for the feature {feature}, which no edition declares")
        if permission is not None and permission not in permissions:
            raise malformed(f"{what} asks for the permission {permission}, which no edition declares")
    for endpoint, declared in access.items():
        needs_license = declared.feature and declared.credential is not Credential.DEVICE_TOKEN
        if declared.audience is Audience.PUBLIC and (needs_license or declared.permission):
            raise malformed(f"{endpoint} is open to everybody and cannot need a feature or a permission")


def _check_calls(manifest: Manifest) -> None:
    """Refuse what could never be called, for it takes other arguments than it will be called with."""
    for card in manifest.cards:
        _check_call(f"the view of the card {card.name}", card.view)
    for content in manifest.slots:
        _check_call(f"the view for {content.slot}", content.view, **dict.fromkeys(SLOTS[content.slot].gives))
    for listener in manifest.listeners:
        _check_call(f"the handler of {listener.event.__name__}", listener.handler, None)


def _check_call(what: str, function: Callable[..., Any], *arguments: None, **values: None) -> None:
    if inspect.iscoroutinefunction(function):
        raise malformed(f"{what} is asynchronous, and would never be awaited")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of what is written in C there is none
        return
    try:
        signature.bind(*arguments, **values)
    except TypeError as error:
        raise malformed(f"{what} is called with other arguments ({error})") from None


def _check_start_page(manifest: Manifest, access: Mapping[str, Access], rules: list[Rule]) -> None:
    if manifest.start_page is None:
        return
    if not _is_simple_page(manifest.start_page, rules):
        raise malformed(f"start_page is {manifest.start_page}, which is no page of it that takes no arguments")
    declared = access.get(manifest.start_page)
    if declared is None or declared.feature is None:
        raise malformed(f"start_page is {manifest.start_page}, which needs no feature")


def _check_nav_item(item: NavItem, rules: list[Rule]) -> None:
    if not _is_simple_page(item.endpoint, rules):
        raise malformed(f"navigation leads to {item.endpoint}, which is no page of it that takes no arguments")
    for child in item.children:
        _check_nav_item(child, rules)


def _is_simple_page(endpoint: str, rules: list[Rule]) -> bool:
    return any(simple_rule(rule) for rule in rules if rule.endpoint == endpoint)


def simple_rule(rule: Rule) -> bool:
    """Whether ``rule`` is of a page that can be asked for without knowing anything."""
    return not rule.arguments and "GET" in (rule.methods or ())


def undeclared(endpoint: str) -> str:
    """What its author is told of an endpoint for which nothing is declared."""
    return f"{endpoint} declares no feature, so it is answered to nobody: decorate it with requires_feature or open_to"
