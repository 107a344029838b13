"""Whatever the document of the API allows is answered as the document says, and never with a failure of the server."""

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.specs.openapi import checks as of_openapi

from app.sdk import Credential, Scope
from plugins.standard.tests.company import THURSDAY, Company
from tests.conftest import bearer

EXAMPLES = 12
"""Of each operation; the same ones in every run."""
CHECKS = [
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_headers_conformance,
    of_openapi.response_schema_conformance,
]


def meant(case: schemathesis.Case, office: Company, headers: dict[str, str]) -> schemathesis.Case:
    """The same request about a timer and an entry that there are, which nothing that is made up would ever name."""
    task, client = office.tasks["drawing"], office.app.test_client(use_cookies=False)
    client.put("/api/v1/timer", json={"task_id": task}, headers={**headers, "If-None-Match": "*"})
    running = client.get("/api/v1/timer", headers=headers)
    path = f"/api/v1/entries/{THURSDAY}/{task}"
    kept = client.put(path, json={"minutes": 30}, headers={**headers, "If-None-Match": "*"})
    parts = {"task_id": task, "day": THURSDAY.isoformat(), "week": "2026-W48"}
    case.path_parameters.update({name: parts[name] for name in case.path_parameters if name in parts})
    if isinstance(case.body, dict) and "task_id" in case.body:
        case.body = {**case.body, "task_id": task}
    for about, known in (("{task_id}", kept), ("/timer", running)):
        if about in case.path:
            case.headers.pop("If-None-Match", None)
            case.headers["If-Match"] = known.headers["ETag"]
    return case


@pytest.mark.usefixtures("thursday")
def test_every_answer_is_what_the_document_says(office: Company) -> None:
    headers = bearer(office.app, scopes=" ".join(Scope))
    devices = bearer(office.app, credential=Credential.DEVICE_TOKEN)
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", office.app)
    good: Counter[str] = Counter()

    def try_out(operation: Any) -> None:
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), is_meant=st.booleans())
        def ask(case: schemathesis.Case, is_meant: bool) -> None:
            brought = devices if case.path.startswith("/api/v1/desktop/") else headers
            answer = (meant(case, office, headers) if is_meant else case).call(headers=brought)
            case.validate_response(answer, checks=CHECKS)
            good[operation.label] += answer.status_code < 300

        ask()

    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in operations:
        try_out(operation)

    assert len(operations) > 10
    never = {operation.label for operation in operations if not good[operation.label]}
    assert never == set(), good
