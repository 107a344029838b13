"""What commands say in their log: warnings, in plain words."""

import pytest
import structlog
from flask import Flask

from app.logs import direct_logs_to_people


def test_a_command_logs_warnings_alone_and_in_plain_words(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.contextvars.clear_contextvars()  # a request of another test may have left its id
    direct_logs_to_people(app.extensions["settings"])
    log = structlog.get_logger("timetracker.test")
    log.info("nothing to see")
    log.warning("public key left out", file="x.pem", code=None)
    try:
        int("no number")
    except ValueError:
        log.exception("could not be written", action="user.add")
    assert capsys.readouterr().err.splitlines() == [
        "Warning: public key left out (file=x.pem)",
        "Error: could not be written (action=user.add): invalid literal for int() with base 10: 'no number'",
    ]


def test_an_application_that_serves_logs_with_time_and_name(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("timetracker.test").info("something", code="x")
    line = capsys.readouterr().err
    assert "timetracker.test" in line
    assert "something" in line
    assert app.extensions["settings"].log_level == "info"
