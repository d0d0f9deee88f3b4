"""Bodies that nobody should send, at every call that takes one: each is refused with a problem, and changes nothing."""

import gzip
import json
from typing import Any

import httpx
import pytest

from integration.security.served import Served, plain_order
from lianhu_kit.access import ROLES
from support.openapi import Operation
from support.people import bearer, person_of, token_of

# What a caller would like to decide and may not: fields of the tables that no body has.
ASSIGNED = {
    "status": "closed", "number": "00000000", "tracking_code": "AAAAAA", "accepted_by": str(person_of("x", "1")),
    "version": 99, "sequence": 99, "created_at": "2026-01-01T00:00:00Z", "is_admin": True, "first_grade": 5,
    "__proto__": {"role": "admin"}, "lianhu.scope": "44",
}  # fmt: skip
DEEP = 9000
HOSTILE: dict[str, bytes] = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and cut off": b'{"a":' * 9000,
    "wide": json.dumps({f"field{n}": n for n in range(4000)}).encode(),
    "one field many times": b'{"text":' + b'"a","text":' * 4000 + b'"a"}',
    "a number of 5,000 digits": b'{"version":' + b"9" * 5000 + b"}",
    "not a number": b'{"version":NaN,"text":Infinity}',
    "too long": json.dumps({"text": "长" * 30_000}).encode(),
    "UTF-16": '{"text":"a"}'.encode("utf-16"),
    "a text": b'"text"',
    "nothing at all but spaces": b" " * 60_000,
}


@pytest.fixture(scope="session")
async def writing(served: Served) -> list[Operation]:
    """Every call that takes a body."""
    found = [
        each
        for each in await served.operations()
        if "application/json" in each.declared.get("requestBody", {}).get("content", {})
    ]
    assert len(found) > 25
    return found


def everything(home: str) -> dict[str, str]:
    """Every role of the village, so that a body is looked at."""
    token = token_of([(role, home) for role in ROLES if role != "service"], person_of("all", home))
    return {"Authorization": f"Bearer {token}"}


def refused(answer: httpx.Response) -> bool:
    """Whether it is a problem of the caller's own making."""
    return 400 <= answer.status_code < 500 and answer.headers["content-type"] == "application/problem+json"


async def test_no_call_takes_a_field_that_is_not_its_own(
    served: Served, home: str, order: str, writing: list[Operation]
) -> None:
    known = {"tenant": home, "at": home, "org": home, "code": home, "request_id": order, "into": order}
    taken, asked = {}, 0
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for operation in writing:
            call = operation.call(known)
            body = call.pop("json")
            url = served.url(operation.service) + call.pop("url")
            for name, value in ASSIGNED.items():
                if name in body or name in str(operation.body_schema().get("properties", {}).keys()):
                    continue
                asked += 1
                answer = await client.request(**call, url=url, json={**body, name: value}, headers=everything(home))
                problem = answer.json()
                fields = [error["field"] for error in problem.get("errors", ())]
                if answer.status_code != 422 or name not in fields:
                    taken[f"{operation.name} {name}"] = f"{answer.status_code} {answer.text[:200]}"
    assert taken == {}
    print(f"{len(writing)} calls, {asked} fields refused")


async def test_hostile_bodies_are_the_callers_fault(
    served: Served, home: str, order: str, writing: list[Operation]
) -> None:
    known = {"tenant": home, "request_id": order}
    wrong, sent = {}, 0
    headers = {**everything(home), "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for operation in writing:
            call = operation.call(known)
            url = served.url(operation.service) + call["url"]
            for name, content in HOSTILE.items():
                sent += 1
                answer = await client.request(call["method"], url, content=content, headers=headers)
                if not refused(answer):
                    wrong[f"{operation.name} {name}"] = f"{answer.status_code} {answer.text[:200]}"
    assert wrong == {}
    print(f"{len(writing)} calls, {sent} hostile bodies refused")


ODD_ANSWERS: dict[str, str] = {
    "over 64 bits": "1" + "0" * 30,
    "no number": "NaN",
    "without end": "-Infinity",
    "nested": "[" * 100 + "]" * 100,
    "half a pair": '"\\ud800"',
    "NUL": '"a\\u0000b"',
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_free_answers_hold_only_what_can_be_kept(served: Served, home: str, name: str) -> None:
    body = json.dumps({**plain_order(home), "answers": {"matter": 0}}).replace(": 0}", f": {ODD_ANSWERS[name]}}}")
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        answer = await client.post("/v1/requests", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith("answers")


ODD_MOMENTS = ("0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "0001-01-01", "9999-12-31", "1e400", "-1")


@pytest.mark.parametrize("moment", ODD_MOMENTS)
async def test_times_at_the_ends_of_the_calendar(served: Served, home: str, moment: str) -> None:
    wanted = {**plain_order(home), "wanted": {"from": moment, "to": moment}}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        answers = [await client.post(f"{served.url('requests')}/v1/requests", json=wanted)]
        for service, path in (("requests", "counts"), ("dispatch", "counts"), ("reporting", "tallies"),
                              ("reporting", "reconciliation")):  # fmt: skip
            for edge in ("from", "to"):
                query = {"org": home, "by": "service", edge: moment}
                url = f"{served.url(service)}/v1/{path}"
                answers.append(await client.get(url, params=query, headers=everything(home)))
    odd = {str(answer.url): answer.text for answer in answers if answer.status_code != 422}
    assert odd == {}


async def test_a_packed_body_is_not_unpacked(served: Served, home: str, writing: list[Operation]) -> None:
    bomb = gzip.compress(b'{"text":"' + b"a" * 50_000_000 + b'"}')
    assert len(bomb) < 64 * 1024
    headers = {**everything(home), "content-type": "application/json"}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for operation in writing:
            call = operation.call({"tenant": home})
            for packing in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
                url = served.url(operation.service) + call["url"]
                answer = await client.request(
                    call["method"], url, content=bomb, headers={**headers, "content-encoding": packing}
                )
                assert answer.status_code == 415, f"{operation.name}: {answer.status_code} {answer.text[:200]}"


async def test_numbers_and_codes_cannot_be_told_from_the_answer(served: Served, home: str) -> None:
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        placed = (await client.post("/v1/requests", json=plain_order(home))).json()
        number, code = placed["number"], placed["tracking_code"]
        good = await client.get(f"/v1/track/{number}", params={"tenant": home, "code": code})
        assert good.status_code == 200
        misses: list[Any] = []
        for other, where, guess in (
            (number, home, "AAAAAA"), (number, home, code[:-1]), (number, home, code + "A"), (number, "9" * 12, code),
            ("10000007", home, code), ("12345678", home, code), ("a", home, code), (number, "x", code),
            (number, home, ""),
        ):  # fmt: skip
            answer = await client.get(f"/v1/track/{other}", params={"tenant": where, "code": guess})
            body = answer.json()
            assert body.pop("request_id") == answer.headers["x-request-id"]
            misses.append((answer.status_code, body, sorted(answer.headers)))
    assert all(miss == misses[0] for miss in misses)
    assert misses[0][0] == 404


async def test_a_volunteer_cannot_take_a_clerks_part_by_saying_so(served: Served, home: str) -> None:
    order = {**plain_order(home), "channel": "desk", "reporter": str(person_of("clerk", home))}
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        answer = await client.post("/v1/requests", json=order, headers=bearer("volunteer", home))
    assert answer.status_code == 422
