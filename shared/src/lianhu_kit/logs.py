"""Structured logs: one JSON object a line, joined by request and trace ids, without personal data."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from lianhu_kit.context import current_cause

# The last line of defence; nothing should hand such text to a log in the first place.
_DETAIL = re.compile(r"DETAIL:.*?(?=\n\[SQL:|\n\n(?:The above|During)|\Z)", re.DOTALL)
_DIGITS = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)|(?<!\d)\d{17}[\dXx](?!\d)")
# Errors that repeat the value they complain of: the driver's, the server's, Pydantic's, FastAPI's of an answer.
_VALUES = re.compile(
    r"(invalid input for query argument [^:\n]*: ).*"
    r"|((?:invalid input syntax for|malformed|invalid value for|out of range)[^:\n]*: )\".*"
    r"|(input_value=).*?(?=, input_type=|\Z)"
    r"|('input': ).*",
)


def _join(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    cause = current_cause()
    event.setdefault("request_id", cause.id)
    event.setdefault("trace_id", cause.traceparent[3:35])
    return event


def redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces phone and identity numbers in every text of a log entry, and the rows and values that errors show."""
    for key, value in event.items():
        if not key.startswith("_"):  # the standard library's record and logger stay as they are
            event[key] = _redacted(value)
    return event


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_redacted(item) for item in value]
    shown = _DETAIL.sub("DETAIL: [removed]", str(value))
    shown = _VALUES.sub(lambda found: f"{next(filter(None, found.groups()))}[removed]", shown)
    return _DIGITS.sub("[removed]", shown)


def configure(service: str, level: str = "info") -> None:
    """Sets structlog and the standard library's logging to JSON lines on stderr."""
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _join,
        # Tracebacks as text without local variables: those could hold names and phones.
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *processors,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiokafka").setLevel("ERROR")  # it repeats a broker's absence many times a second
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel("WARNING")
    structlog.contextvars.bind_contextvars(service=service)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that carries its module's name."""
    return structlog.stdlib.get_logger(name)
