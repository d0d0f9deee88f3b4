"""Placing an order: the hot path. One look-up, then one statement for everything that is written."""

from datetime import datetime, tzinfo
from typing import Any

import orjson

from lianhu_kit.context import current_cause
from lianhu_kit.database import now
from lianhu_kit.hot import HotTransaction
from lianhu_kit.idempotency import Keyed, StoredAnswer
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.outbox import recorded, shard_of
from requests_service.events.published import Limits, Submitted
from requests_service.handlers.clock import CONTACT_NEAR, FINISH_NEAR
from requests_service.handlers.complaining import TO_TOWN
from requests_service.handlers.fingerprints import fingerprint
from requests_service.handlers.order import Order, Placed, place
from requests_service.queries.placing import place_of
from requests_service.queries.units import chain
from requests_service.queries.unseen import SHOWN

# One round trip writes the request, the contact, the first step, the timers, the event and the answer under its key:
# round trips cost more than anything else here. No row comes back where the number is taken in this village. The id of
# the one served is in the event, so it is found here too: read where it is known, since to write it again would put all
# orders of one person in a queue; `id = served_people.id` brings back the row that somebody else made meanwhile.
_WRITE = """
    WITH known AS (
        SELECT id FROM served_people WHERE tenant = $6 AND fingerprint = $7::bytea
    ), added AS (
        INSERT INTO served_people (tenant, fingerprint, id)
        SELECT $6, $7::bytea, $8::uuid WHERE $7::bytea IS NOT NULL AND NOT EXISTS (SELECT FROM known)
        ON CONFLICT (tenant, fingerprint) DO UPDATE SET id = served_people.id RETURNING id
    ), served AS (
        SELECT id FROM known UNION ALL SELECT id FROM added
    ), placed AS (
        INSERT INTO requests
        SELECT * FROM jsonb_populate_record(NULL::requests,
            $9::text::jsonb || jsonb_build_object('served_id', (SELECT id FROM served)))
        ON CONFLICT (tenant, number) DO NOTHING RETURNING id, tenant, submitted_at, reporter
    ), contact AS (
        INSERT INTO contacts
        SELECT given.* FROM placed, jsonb_populate_record(NULL::contacts, $10::text::jsonb) AS given
    ), step AS (
        INSERT INTO steps (request_id, tenant, service, step, at, by, details)
        SELECT id, tenant, 'requests', 'submitted', submitted_at, reporter, '{}' FROM placed
    ), timer AS (
        INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
        SELECT id, kind, tenant, due_at, 1, $18, $13::uuid::text
        FROM placed, unnest($11::text[], $12::timestamptz[]) AS armed (kind, due_at)
    ), told AS (
        INSERT INTO outbox (id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time,
                            traceparent, causationid)
        SELECT $13::uuid, $14, id::text, $15::smallint, $16, id::text,
               replace($17, '"served_id":null', coalesce('"served_id":"' || (SELECT id FROM served) || '"',
                                                         '"served_id":null')),
               1, tenant, submitted_at, $18, $19
        FROM placed
    ), kept AS (
        INSERT INTO idempotency_keys (caller, route, key, tenant, body, status, answer)
        SELECT $1, $2, $3, tenant, $4::bytea, 201, $5 FROM placed WHERE $3::text IS NOT NULL
    )
    SELECT id FROM placed
"""
_TRIES = 6


class NumbersExhausted(Exception):
    """Six random numbers in a row were taken in this village. Place the order again."""


async def submit(hot: HotTransaction, keyed: Keyed, order: Order, *, zone: tzinfo, served_key: bytes) -> StoredAnswer:
    """Places an order in the scope of its village, and answers with its slip; or as its key was answered before.

    Invalid where something is wrong: nothing is stored then. Problem 409 and 422 as `idempotency.recall`.
    """
    at = await place_of(
        hot,
        keyed,
        tenant=order.tenant,
        chain=[*chain(order.tenant), *([order.grid] if order.grid else [])],
        service=order.service,
        households=[home for home in (order.household, order.door) if home],
        phone=order.phone,
        caller=order.reporter,
    )
    if isinstance(at, StoredAnswer):
        return at
    placed = place(order, at, now(hot), zone)
    if order.about is not None:
        await hot.row(SHOWN)  # the statement that writes it also reads it
    for _ in range(_TRIES):
        answer = _slip(placed.request)
        if await _write(hot, keyed, placed, answer, served_key):
            recorded(hot)
            return StoredAnswer(201, answer)
        placed.request["number"] = new_number()
    raise NumbersExhausted


async def _write(hot: HotTransaction, keyed: Keyed, placed: Placed, answer: dict[str, Any], served_key: bytes) -> bool:
    """Writes the order; False where its number is taken in the village."""
    request, cause = placed.request, current_cause()
    event = _submitted(request).outgoing(sequence=1, tenant=request["tenant"])
    timers = {CONTACT_NEAR: placed.contact_near, FINISH_NEAR: placed.finish_near}
    if request["about"] is not None:
        timers[TO_TOWN] = request["submitted_at"]
    armed = {kind: due for kind, due in timers.items() if due}
    try:
        row = await hot.row(
            _WRITE,
            *keyed.place,
            keyed.digest,
            orjson.dumps(answer).decode(),
            request["tenant"],
            fingerprint(served_key, request["tenant"], placed.identity) if placed.identity else None,
            new_id(),
            orjson.dumps(request).decode(),
            orjson.dumps(placed.contact).decode(),
            list(armed),
            list(armed.values()),
            event.id,
            event.topic,
            shard_of(event.key),
            event.type,
            event.payload(),
            cause.traceparent,
            cause.id,
        )
    except Exception as error:
        if problem := keyed.refused(error):
            raise problem from None
        raise
    return row is not None


def _submitted(request: dict[str, Any]) -> Submitted:
    return Submitted(
        request_id=request["id"],
        status=request["status"],
        by=request["reporter"],
        minor=request["served_kind"] == "child",
        unseen=request["about"] is not None,
        served_id=None,  # the statement that writes it fills it in
        limits=Limits(contact=request["contact_due"], finish=request["finish_due"]),
        **{name: request[name] for name in _TOLD},
    )


_TOLD = (
    "number", "service", "kind", "grid", "household", "channel", "reporter", "resident", "guardian", "served_kind",
    "public", "urgent", "confirm_seconds",
)  # fmt: skip


def _slip(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(request["id"]),
        "number": request["number"],
        "tracking_code": request["tracking_code"],
        "status": request["status"],
        "tenant": request["tenant"],
        "service": request["service"],
        "grid": request["grid"],
        "limits": {"contact": _text(request["contact_due"]), "finish": _text(request["finish_due"])},
        "version": request["version"],
        "submitted_at": request["submitted_at"].isoformat(),
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
