"""Probes for the operator's supervisor: is the process up, and is it ready to serve."""

from flask import Blueprint, Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from app.database import read_connection
from app.editions.readiness import locked_editions
from app.license.service import trusted_keys
from app.schema import is_up_to_date
from app.security import Audience, Representation, declare

blueprint = Blueprint("health", __name__)
declare(blueprint, Audience.PUBLIC, Representation.PROBLEM_JSON)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process is up; asks nothing of anybody else."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The database answers, migrations are done, verification keys are loaded; 503 where one is not so.

    Editions whose own migrations are pending are counted only: they alone are locked, and everything else serves.
    """
    checks = {
        "database": _database_answers(),
        "migrations": False,
        "verification_keys": bool(trusted_keys().keys),
    }
    checks["migrations"] = checks["database"] and is_up_to_date()
    ready = all(checks.values())
    body = {
        "status": "ok" if ready else "unavailable",
        "checks": checks,
        "locked_editions": len(locked_editions()) if ready else 0,
    }
    return jsonify(body), 200 if ready else 503


def _database_answers() -> bool:
    try:
        with read_connection() as connection:
            connection.exec_driver_sql("SELECT 1")
    except SQLAlchemyError:
        return False
    return True


def register_health(app: Flask) -> None:
    """Add the probes."""
    app.register_blueprint(blueprint)
