"""What caused the work at hand: carried by context variables into every outbox row and log line."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from lianhu_kit import tracing
from lianhu_kit.identifiers import new_id

_propagator = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class Cause:
    """The call or event that led here: its id, and the trace it belongs to (W3C Trace Context)."""

    id: str
    traceparent: str


_cause: ContextVar[Cause | None] = ContextVar("lianhu_cause", default=None)


def new_traceparent() -> str:
    """A fresh trace for work that nobody outside began."""
    return f"00-{new_id().hex}-{new_id().hex[16:]}-01"


def continued(traceparent: str | None) -> str:
    """The same trace with a step of its own; a fresh one where the given value is no traceparent."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:  # an SDK is configured and has a span open: it names the step
        return f"00-{format_trace_id(span.trace_id)}-{format_span_id(span.span_id)}-01"
    if traceparent is None:
        return new_traceparent()
    given = trace.get_current_span(_propagator.extract({"traceparent": traceparent})).get_span_context()
    if not given.is_valid:
        return new_traceparent()
    return f"00-{format_trace_id(given.trace_id)}-{new_id().hex[16:]}-01"


def current_cause() -> Cause:
    """The cause at hand; a fresh one where none was set."""
    return _cause.get() or Cause(str(new_id()), new_traceparent())


@contextmanager
def caused_by(
    identifier: str, traceparent: str | None, step: str | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Cause]:
    """Everything recorded inside names this call or event as its cause; `step` makes it a span where spans are sent."""
    opened = nullcontext() if step is None else tracing.span(step, kind, traceparent, lianhu__cause=identifier)
    with opened:
        cause = Cause(identifier, continued(traceparent))
        token = _cause.set(cause)
        try:
            yield cause
        finally:
            _cause.reset(token)
