"""Where the gateway sends a path, and what it never passes on."""

from typing import Any

import httpx
import pytest

from lianhu_tools.local import gateway
from lianhu_tools.local.gateway import route


@pytest.mark.parametrize(
    ("path", "service", "passed"),
    [
        ("/", "requests", "/"),
        ("/api/requests/v1/requests", "requests", "/v1/requests"),
        ("/api/dispatch/v1/assignments", "dispatch", "/v1/assignments"),
        ("/api/reporting", "reporting", "/"),
        ("/api/requests/", "requests", "/"),
        ("/api/requests/open311/v2/services.json", "requests", "/open311/v2/services.json"),
        ("/order", "requests", "/order"),
        ("/track/12345678", "requests", "/track/12345678"),
        ("/desk/x", "requests", "/desk/x"),
        ("/tasks", "dispatch", "/tasks"),
        ("/board/441702008205001", "dispatch", "/board/441702008205001"),
        ("/inbox/stream", "notifications", "/inbox/stream"),
        ("/preferences", "notifications", "/preferences"),
        ("/reports/441702008", "reporting", "/reports/441702008"),
        ("/docs", "requests", "/docs"),
        ("/api/dispatch/docs", "dispatch", "/docs"),
        ("/api/requests/v1/services/a%20b", "requests", "/v1/services/a%20b"),
        ("/api/reporting/v1/metrics", "reporting", "/v1/metrics"),
    ],
)
def test_a_path_reaches_its_service(path: str, service: str, passed: str) -> None:
    assert route(path) == (service, passed)


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/internal",
        "/api/requests/metrics",
        "/api/requests/internal/contacts",
        "/api/requests/%6Detrics",
        "/api/requests/%69nternal/contacts",
        "/api/requests//internal/contacts",
        "/api/requests/v1/../internal/contacts",
        "/api/requests/v1/%2e%2e/internal/contacts",
        "/api/requests/v1/..%2finternal/contacts",
        "/api/requests/v1%2f..%2finternal",
        "/api/requests/./internal",
        "/api/requests/v1\\internal",
        "/api/nobody/v1",
        "/api",
        "/api/",
        "/nobody-serves-this",
        "/ordering",
    ],
)
def test_a_closed_or_unknown_path_reaches_nobody(path: str) -> None:
    assert route(path) is None


def test_a_connection_is_kept_longer_than_clients_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr("uvicorn.run", lambda _app, **options: served.update(options))
    gateway.main()
    kept = httpx.Limits().keepalive_expiry
    assert kept is not None
    assert served["timeout_keep_alive"] > 2 * kept
