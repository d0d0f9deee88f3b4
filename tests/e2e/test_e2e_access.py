"""Every route of every service: no token, a wrong role, another village. A new route cannot escape."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from lianhu_kit.access import ROLES
from lianhu_tools.topology import SERVICES
from support.openapi import Operation, operations
from support.places import village
from support.system import System


@pytest.fixture(scope="module")
def routes(system: System) -> list[Operation]:
    """Every operation, from the running services' own documents."""
    found: list[Operation] = []
    for service in SERVICES:
        document = httpx.get(f"{system.url(service)}/openapi.json", trust_env=False).json()
        found += operations(service, document)
    assert len(found) > 40
    return found


@pytest.fixture(scope="module")
def victim(system: System, demo: Any) -> dict[str, Any]:
    """What can be named of a village that the caller has nothing to do with: real ids of the demo."""
    request = next(r for r in demo.written["requests"] if r["story"].startswith("1 ") or r["story"].startswith("1."))
    tenant = request["tenant"]
    with httpx.Client(trust_env=False) as client:
        clerk = system.bearer("clerk", tenant)
        assignments = client.get(
            f"{system.url('dispatch')}/v1/assignments", params={"request": request["id"]}, headers=clerk
        ).json()["items"]
        volunteers = client.get(
            f"{system.url('dispatch')}/v1/volunteers", params={"tenant": tenant}, headers=clerk
        ).json()["items"]
        calls = client.get(f"{system.url('notifications')}/v1/calls", params={"tenant": tenant}, headers=clerk).json()
    return {
        "request": request,
        "tenant": tenant,
        "assignment": assignments[0]["id"],
        "volunteer": volunteers[0]["id"],
        "call": calls["items"][0]["id"] if calls["items"] else None,
    }


def _known(operation: Operation, victim: dict[str, Any]) -> dict[str, Any]:
    """The victim's ids under the names that the operation uses."""
    named: dict[str, Any] = {
        "tenant": victim["tenant"], "org": victim["tenant"], "at": victim["tenant"], "code": victim["tenant"],
        "under": victim["tenant"], "request_id": victim["request"]["id"], "number": victim["request"]["number"],
        "assignment_id": victim["assignment"], "person_id": victim["volunteer"], "volunteer_id": victim["volunteer"],
        "call_id": victim["call"], "delivery_id": victim["call"], "into": victim["request"]["id"],
        "person": victim["volunteer"],
    }  # fmt: skip
    return {name: value for name, value in named.items() if value is not None}


@pytest.fixture(scope="module")
def clients(system: System) -> Iterator[dict[str, httpx.Client]]:
    """A client of each service, kept for all calls: to open one takes longer than a call."""
    with ExitStack() as open_ones:
        yield {
            service: open_ones.enter_context(httpx.Client(base_url=system.url(service), trust_env=False, timeout=10))
            for service in SERVICES
        }


def _send(
    clients: dict[str, httpx.Client], operation: Operation, known: dict[str, Any], headers: dict[str, str]
) -> httpx.Response:
    call, client = operation.call(known), clients[operation.service]
    if "stream" in operation.path:
        with client.stream(**call, headers=headers) as answer:
            return httpx.Response(answer.status_code, headers=answer.headers)
    return client.request(**call, headers=headers)


def test_every_route_names_its_roles(routes: list[Operation]) -> None:
    for operation in routes:
        assert set(operation.roles) <= set(ROLES), operation.name
        assert operation.roles or operation.anonymous, operation.name


def test_without_a_token(clients: dict[str, httpx.Client], routes: list[Operation], victim: dict[str, Any]) -> None:
    closed = [operation for operation in routes if not operation.anonymous]
    assert len(closed) > 30
    for operation in closed:
        answer = _send(clients, operation, _known(operation, victim), {})
        assert answer.status_code == 401, f"{operation.name}: {answer.status_code} {answer.text[:200]}"
        assert answer.headers["content-type"] == "application/problem+json"


def test_with_a_wrong_role(
    system: System, clients: dict[str, httpx.Client], routes: list[Operation], victim: dict[str, Any]
) -> None:
    for operation in routes:
        if operation.anonymous:
            continue
        wrong = sorted(set(ROLES) - set(operation.roles) - {"service"})
        for role in wrong[:3]:
            headers = system.bearer(role, victim["tenant"])
            answer = _send(clients, operation, _known(operation, victim), headers)
            assert answer.status_code == 403, f"{operation.name} as {role}: {answer.status_code} {answer.text[:200]}"


def test_from_another_village(
    system: System, clients: dict[str, httpx.Client], routes: list[Operation], victim: dict[str, Any]
) -> None:
    elsewhere = village()
    for operation in routes:
        known = _known(operation, victim)
        for role in operation.roles:
            if operation.anonymous and role in ("resident", "volunteer"):
                continue  # whoever they are, they may order and read what is public
            answer = _send(clients, operation, known, system.bearer(role, elsewhere))
            told = f"{operation.name} as {role} of another village: {answer.status_code} {answer.text[:300]}"
            if operation.names_a_place(known):
                assert answer.status_code == 404 or (operation.anonymous and answer.status_code < 300), told
            else:
                assert answer.status_code == 200, told
                assert victim["request"]["id"] not in answer.text, told
                assert victim["assignment"] not in answer.text, told
