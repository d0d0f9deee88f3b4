"""Every route of this service with no token, a wrong role, and from another village: a new one cannot escape."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from lianhu_kit.access import ROLES
from support import bearer, village
from support.openapi import Operation, operations
from support.requests_rig import Place, Rig

# A code that one role gives and another does not reach, under the names that the calls use.
PLACES = ("tenant", "org", "at", "code", "under")


@pytest.fixture
async def routes(rig: Rig) -> list[Operation]:
    document = await rig.good("GET", "/openapi.json")
    return list(operations("requests", document))


@pytest.fixture
async def known(rig: Rig, place: Place) -> dict[str, Any]:
    slip = await rig.order(place)
    named = dict.fromkeys(PLACES, place.code)
    return named | {"request_id": slip["id"], "number": slip["number"], "into": str(uuid4())}


async def send(rig: Rig, operation: Operation, known: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    return await rig.client.request(**operation.call(known), headers=headers)


async def test_no_token(rig: Rig, routes: list[Operation], known: dict[str, Any]) -> None:
    closed = [operation for operation in routes if not operation.anonymous]
    assert len(closed) >= 24
    for operation in closed:
        answer = await send(rig, operation, known, {})
        assert answer.status_code == 401, f"{operation.name}: {answer.text}"


async def test_wrong_role(rig: Rig, place: Place, routes: list[Operation], known: dict[str, Any]) -> None:
    for operation in routes:
        for role in set(ROLES) - set(operation.roles) if not operation.anonymous else ():
            answer = await send(rig, operation, known, bearer(role, place.code))
            assert answer.status_code == 403, f"{operation.name} as {role}: {answer.text}"


async def test_another_village(rig: Rig, routes: list[Operation], known: dict[str, Any]) -> None:
    elsewhere = village()
    for operation in routes:
        for role in operation.roles:
            if operation.anonymous and role in ("resident", "volunteer"):
                continue  # they may order anywhere
            answer = await send(rig, operation, known, bearer(role, elsewhere))
            told = f"{operation.name} as {role}: {answer.status_code} {answer.text}"
            if operation.names_a_place(known):
                assert answer.status_code == 404, told
            else:  # what is one's own, wherever one is
                assert answer.status_code == 200, told
                assert known["request_id"] not in answer.text, told
