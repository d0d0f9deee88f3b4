"""schemathesis over the four OpenAPI documents: calls good and bad; no 5xx, no answer that the document doesn't know.

LIANHU_EXAMPLES sets how many calls of each kind are made of each operation (default 10; 300 for a long look).
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup

from integration.security.served import Served
from lianhu_kit.access import ROLES
from lianhu_tools.topology import SERVICES
from support.people import person_of, token_of

EXAMPLES = int(os.environ.get("LIANHU_EXAMPLES", "10"))
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
BOUNDS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # the same calls in every run
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _at_home(case: Any, home: str, order: str) -> None:
    """Names what is there, so that a good call gets behind the door: the village, and an order in it."""
    for place in (case.path_parameters, case.query, case.body):
        for name, value in {"tenant": home, "org": home, "at": home, "request_id": order, "into": order}.items():
            if isinstance(place, dict) and name in place:
                place[name] = value
    items = case.body.get("items") if isinstance(case.body, dict) else None
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and "tenant" in item:
            item["tenant"] = home


def _takes_anything(operation: Any) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters or operation.headers)


@dataclass
class Look:
    """What came of the calls of one service."""

    home: str
    order: str
    token: str
    session: requests.Session
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def at(self, operation: Any, mode: GenerationMode) -> None:
        """Calls of one operation, with every role and without a token."""

        @BOUNDS
        @given(operation.as_strategy(generation_mode=mode))
        def call(case: Any) -> None:
            if mode is GenerationMode.POSITIVE:
                _at_home(case, self.home, self.order)
            for headers in ({"Authorization": f"Bearer {self.token}"}, {}):
                answer = case.call(session=self.session, headers=headers, timeout=30)
                self.statuses[answer.status_code] += 1
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as group:
                    told = "; ".join(str(each)[:300] for each in group.exceptions)
                    self.faults.setdefault(f"{case.method} {operation.path}: {told}", case.as_curl_command())

        call()


@pytest.mark.parametrize("service", SERVICES)
def test_no_answer_is_a_5xx_or_unknown_to_the_document(served: Served, home: str, order: str, service: str) -> None:
    token = token_of([(role, home) for role in ROLES if role != "service"], person_of("all", home))
    schema = schemathesis.openapi.from_url(f"{served.url(service)}/openapi.json")
    operations = 0
    with requests.Session() as session:
        session.trust_env = False
        look = Look(home, order, token, session)
        results: Any = schema.get_all_operations()
        for result in results:
            operation = result.ok()
            if operation.path.endswith("/stream"):
                continue  # endless by intent
            operations += 1
            look.at(operation, GenerationMode.POSITIVE)
            if _takes_anything(operation):
                look.at(operation, GenerationMode.NEGATIVE)
    print(f"{service}: {operations} operations, {look.statuses.total()} calls, {dict(sorted(look.statuses.items()))}")
    assert look.faults == {}
    assert operations >= 3
    assert any(status < 300 for status in look.statuses)
