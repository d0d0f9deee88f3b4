"""Placing an order: the hot path. One look-up, then one statement for everything that is written."""

from datetime import tzinfo

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.context import current_cause
from lianhu_kit.database import now
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.outbox import recorded, shard_of
from requests_service.events.published import Limits, Submitted
from requests_service.handlers.clock import CONTACT_NEAR, FINISH_NEAR
from requests_service.handlers.fingerprints import fingerprint
from requests_service.handlers.order import Order, Placed, place
from requests_service.queries.placing import place_of
from requests_service.queries.units import chain
from requests_service.tables import Request

# One round trip writes the request, the contact, the first step, the timers and the event: round trips cost more than
# anything else here. No row comes back where the number is taken in this village. The id of the one served is in the
# event, so it is found here too; `id = served_people.id` changes nothing and makes the row that exists come back.
_WRITE = text(
    """
    WITH served AS (
        INSERT INTO served_people (tenant, fingerprint, id)
        SELECT :tenant, CAST(:fingerprint AS bytea), CAST(:served_id AS uuid)
        WHERE CAST(:fingerprint AS bytea) IS NOT NULL
        ON CONFLICT (tenant, fingerprint) DO UPDATE SET id = served_people.id RETURNING id
    ), placed AS (
        INSERT INTO requests
        SELECT * FROM jsonb_populate_record(NULL::requests,
            CAST(:request AS jsonb) || jsonb_build_object('served_id', (SELECT id FROM served)))
        ON CONFLICT (tenant, number) DO NOTHING RETURNING id, tenant, submitted_at, reporter
    ), contact AS (
        INSERT INTO contacts
        SELECT given.* FROM placed, jsonb_populate_record(NULL::contacts, CAST(:contact AS jsonb)) AS given
    ), step AS (
        INSERT INTO steps (request_id, tenant, service, step, at, by, details)
        SELECT id, tenant, 'requests', 'submitted', submitted_at, reporter, '{}' FROM placed
    ), timer AS (
        INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
        SELECT id, kind, tenant, due_at, 1, :traceparent, :armed_by
        FROM placed, unnest(CAST(:kinds AS text[]), CAST(:dues AS timestamptz[])) AS armed (kind, due_at)
    ), told AS (
        INSERT INTO outbox (id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time,
                            traceparent, causationid)
        SELECT :event_id, :topic, id::text, CAST(:shard AS smallint), :type, id::text,
               jsonb_set(CAST(:payload AS jsonb), '{served_id}',
                         coalesce((SELECT to_jsonb(id) FROM served), 'null'::jsonb))::text,
               1, tenant, submitted_at, :traceparent, :cause
        FROM placed
    )
    SELECT id FROM placed
    """
)
_TRIES = 6


class NumbersExhausted(Exception):
    """Six random numbers in a row were taken in this village. Place the order again."""


async def submit(session: AsyncSession, order: Order, *, zone: tzinfo, served_key: bytes) -> Request:
    """Places an order in the scope of its village. Invalid where something is wrong: nothing is stored then."""
    at = await place_of(
        session,
        tenant=order.tenant,
        chain=[*chain(order.tenant), *([order.grid] if order.grid else [])],
        service=order.service,
        households=[home for home in (order.household, order.door) if home],
        phone=order.phone,
        caller=order.reporter,
    )
    placed = place(order, at, now(session), zone)
    for _ in range(_TRIES):
        if await _write(session, placed, served_key):
            recorded(session)
            return placed.request
        placed.request.number = new_number()
    raise NumbersExhausted


async def _write(session: AsyncSession, placed: Placed, served_key: bytes) -> bool:
    """Writes the order; False where its number is taken in the village."""
    request, contact, cause = placed.request, placed.contact, current_cause()
    event = _submitted(request).outgoing(sequence=1, tenant=request.tenant)
    timers = {CONTACT_NEAR: placed.contact_near, FINISH_NEAR: placed.finish_near}
    armed = {kind: due for kind, due in timers.items() if due}
    values = {
        "tenant": request.tenant,
        "fingerprint": fingerprint(served_key, request.tenant, placed.identity) if placed.identity else None,
        "served_id": new_id(),
        "request": orjson.dumps(request.model_dump(), default=str).decode(),
        "contact": orjson.dumps(contact.model_dump(), default=str).decode(),
        "kinds": list(armed),
        "dues": list(armed.values()),
        "event_id": event.id,
        "armed_by": str(event.id),
        "topic": event.topic,
        "shard": shard_of(event.key),
        "type": event.type,
        "payload": event.payload(),
        "traceparent": cause.traceparent,
        "cause": cause.id,
    }
    return (await session.execute(_WRITE, values)).first() is not None


def _submitted(request: Request) -> Submitted:
    return Submitted(
        request_id=request.id,
        status=request.status,
        by=request.reporter,
        number=request.number,
        service=request.service,
        kind=request.kind,
        grid=request.grid,
        household=request.household,
        channel=request.channel,
        reporter=request.reporter,
        resident=request.resident,
        guardian=request.guardian,
        minor=request.served_kind == "child",
        served_kind=request.served_kind,
        served_id=None,  # the statement that writes it fills it in
        public=request.public,
        urgent=request.urgent,
        limits=Limits(contact=request.contact_due, finish=request.finish_due),
        confirm_seconds=request.confirm_seconds,
    )
