"""Spans for an OpenTelemetry collector: off, and nothing of the SDK imported, unless `LIANHU_OTLP_ENDPOINT` names one.

A span says what was done, for how long and in which trace: routes and types, never a path's values, a body or the
message of an error, which could repeat them.
"""

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

EXPORT_SECONDS = 3
_propagator = TraceContextTextMapPropagator()


class _Tracing:
    """The process's provider and tracer; None while tracing is off."""

    provider: Any = None
    tracer: trace.Tracer | None = None


def begin(service: str, process: str, endpoint: str) -> None:
    """Sends spans to the collector at `endpoint` (OTLP over HTTP, as in http://127.0.0.1:4318) from now on."""
    if not endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - costs memory
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    logging.getLogger("opentelemetry").setLevel("ERROR")
    named = {"service.namespace": "lianhu", "service.name": service, "lianhu.process": process}
    provider = TracerProvider(resource=Resource.create(named))
    address = f"{endpoint.rstrip('/')}/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(address, timeout=EXPORT_SECONDS)))
    _Tracing.provider, _Tracing.tracer = provider, provider.get_tracer("lianhu")


def end() -> None:
    """Sends what is left and stops; a process that ends does so by itself."""
    provider, _Tracing.provider, _Tracing.tracer = _Tracing.provider, None, None
    if provider is not None:
        provider.shutdown()


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, traceparent: str | None = None, **attributes: str
) -> Iterator[None]:
    """A span around the block, below `traceparent`; without one it begins a trace."""
    if _Tracing.tracer is None:
        yield
        return
    with _Tracing.tracer.start_as_current_span(
        name,
        _context(traceparent),
        kind,
        _dotted(attributes),
        record_exception=False,  # its message could hold names and phones
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except Exception as error:
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@contextmanager
def part(name: str, **attributes: str) -> Iterator[None]:
    """A span within the one that is open; none where none is: what polls in the background makes no traces."""
    if _Tracing.tracer is None or not trace.get_current_span().is_recording():
        yield
        return
    with _Tracing.tracer.start_as_current_span(
        name, attributes=_dotted(attributes), record_exception=False, set_status_on_exception=False
    ):
        yield


def answered(method: str, route: str, status: int) -> None:
    """Names the open span after a call's route, once that is known."""
    opened = trace.get_current_span()
    if opened.is_recording():
        opened.update_name(f"{method} {route}")
        opened.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        if status >= 500:
            opened.set_status(Status(StatusCode.ERROR))


def sent(events: Iterable[Any]) -> None:
    """A span for each outbox row that the broker acknowledged, from its recording on."""
    for event in events if _Tracing.tracer is not None else ():
        _done(f"send {event['type']}", SpanKind.PRODUCER, event["traceparent"], event["time"], _message(event))


def now() -> datetime:
    """This process's clock, as spans are measured by it."""
    return datetime.now(UTC)


def taken_in(events: Iterable[Any], since: datetime) -> None:
    """A span for each event of a batch that was applied as one."""
    for event in events if _Tracing.tracer is not None else ():
        about = {"id": event.id, "aggregatetype": event.topic, "type": event.type}
        _done(f"take in {event.type}", SpanKind.CONSUMER, event.traceparent, since, _message(about))


def _done(name: str, kind: SpanKind, traceparent: str | None, since: datetime, attributes: dict[str, str]) -> None:
    if _Tracing.tracer is not None:
        ended = time.time_ns()
        began = min(ended, int(since.timestamp() * 1e9))  # the database's clock may be ahead of this one
        made = _Tracing.tracer.start_span(name, _context(traceparent), kind, attributes, start_time=began)
        made.end(ended)


def _context(traceparent: str | None) -> Context:
    return _propagator.extract({"traceparent": traceparent} if traceparent else {}, Context())


def _message(event: Mapping[str, Any]) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": event["aggregatetype"],
        "messaging.message.id": str(event["id"]),
        "cloudevents.event_type": event["type"],
    }


def _dotted(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("__", "."): value for name, value in attributes.items()}
