"""One trace from a call over the relay to the consumer, as a collector of OpenTelemetry receives it."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import BaseModel

from integration.kit.conftest import MakeTopic
from integration.kit.station import NOTED, Note, Station, consume, keep_effect, next_events
from lianhu_kit import tracing
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session
from lianhu_kit.application import create_application
from lianhu_kit.database import enter_scope
from lianhu_kit.envelope import ReceivedEvent, Record
from lianhu_kit.identifiers import new_id
from lianhu_kit.inbound import Inbound, Subscription
from lianhu_kit.relay import Relay
from support import bearer, village

PHONE = "13800138000"


class Collector:
    """What a process sent: the spans, and all of it as bytes."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        self.services: set[str] = set()
        collector = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(self.path, body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_given: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, body: bytes) -> None:
        """Keeps the spans of one export."""
        assert path == "/v1/traces"
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(told["service.name"])
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]

    def close(self) -> None:
        """Ends it."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on a free port, and nothing traced afterwards."""
    made = Collector()
    yield made
    tracing.end()
    made.close()


class Words(Body):
    """A note's text."""

    at: str
    words: str


def application(station: Station, topic: str) -> Any:
    """One route that records an event."""
    routes = APIRouter()

    @routes.put("/v1/notes/{note}")
    async def write(
        note: UUID, body: Words, access: Annotated[Access, permits("clerk")], session: Session
    ) -> dict[str, str]:
        """Writes a note."""
        await enter_scope(session, access.covering(body.at).scope)
        if body.words == PHONE * 2:
            raise RuntimeError(f"call {PHONE}")
        await next_events(session, body.at, topic, str(note))
        return {}

    settings = station.settings.model_copy(update={"database_url": station.api.url})
    return create_application(settings, title="Traced", routers=[routes], required_revision="0001")


async def whole(_session: object, _events: list[tuple[ReceivedEvent, BaseModel]]) -> None:
    """A consumer of batches."""


async def call(station: Station, topic: str, words: str = PHONE, given: str | None = None) -> tuple[UUID, int]:
    """One call; the note's id and the status."""
    at, note = village(), new_id()
    app = application(station, topic)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = bearer("clerk", at) | ({"traceparent": given} if given else {})
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://n") as client:
        answer = await client.put(f"/v1/notes/{note}", json={"at": at, "words": words}, headers=headers)
    return note, answer.status_code


async def test_one_trace_leads_from_the_call_to_the_consumer(
    station: Station, kafka: str, new_topic: MakeTopic, collector: Collector
) -> None:
    topic = await new_topic()
    tracing.begin("kit", "test", collector.address + "/")
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    note, status = await call(station, topic, given=f"00-{trace_id}-b7ad6b7169203331-01")
    assert status == 200
    relay = Relay(station.settings, station.worker)
    while not (sent := await consume(kafka, topic)):
        await relay.step()
    await relay.close()
    inbound = Inbound("kit", station.worker, {topic: False}, {NOTED: Subscription(Note, keep_effect)}, generation=7001)
    await inbound.receive([Record(topic, r.partition, r.offset, r.key, r.value, r.headers) for r in sent])
    inbound = Inbound("kit", station.worker, {topic: False}, {NOTED: Subscription(Note)}, apply=whole, generation=7002)
    await inbound.receive([Record(topic, r.partition, r.offset, r.key, r.value, r.headers) for r in sent])
    tracing.end()
    assert [span.name for span in collector.spans].count(f"take in {NOTED}") == 2, "one by one, and as a batch"
    spans = {span.name: span for span in collector.spans if span.trace_id.hex() == trace_id}
    assert set(spans) == {"PUT /v1/notes/{note}", "transaction", f"send {NOTED}", f"take in {NOTED}"}
    served = spans["PUT /v1/notes/{note}"]
    assert served.kind == Span.SPAN_KIND_SERVER
    assert served.parent_span_id.hex() == "b7ad6b7169203331"
    assert spans["transaction"].parent_span_id == served.span_id
    assert spans[f"send {NOTED}"].parent_span_id == served.span_id
    assert spans[f"take in {NOTED}"].parent_span_id == served.span_id
    assert spans[f"send {NOTED}"].kind == Span.SPAN_KIND_PRODUCER
    assert spans[f"take in {NOTED}"].kind == Span.SPAN_KIND_CONSUMER
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for span in collector.spans)
    assert collector.services == {"kit"}
    assert PHONE.encode() not in collector.raw
    assert str(note).encode() not in collector.raw


async def test_an_error_is_a_span_without_its_message(
    station: Station, new_topic: MakeTopic, collector: Collector
) -> None:
    tracing.begin("kit", "test", collector.address)
    assert (await call(station, await new_topic(), words=PHONE * 2))[1] == 500
    tracing.end()
    (served,) = [span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER]
    assert served.status.code == 2
    assert PHONE.encode() not in collector.raw


async def test_without_a_collector_nothing_is_traced(
    station: Station, new_topic: MakeTopic, collector: Collector
) -> None:
    tracing.begin("kit", "test", "")
    assert (await call(station, await new_topic()))[1] == 200
    tracing.end()
    assert collector.spans == []
