"""Errors as RFC 9457 problem details: every one is a sentence with a remedy.

Problem
├── Invalid          422  the input is wrong: which field, and what would be right
├── Unauthenticated  401  no token, or one that does not count
├── Forbidden        403  the role may not
├── NotFound         404  not there, or outside one's code
├── Conflict         409  the state does not allow it
├── TooMany          429  too often; Retry-After says when again
└── Unavailable      503  something we need is away; Retry-After says when again
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

from lianhu_kit.context import current_cause

TYPE_PREFIX = "urn:lianhu:problem:"


@dataclass(frozen=True)
class FieldError:
    """One field of the input and what would be right there; the value given is never repeated."""

    field: str
    detail: str


class Problem(Exception):
    """An error that the caller is told about.

    `type` is a stable slug, `detail` a sentence that says what to do, `extra` further members of the answer.
    """

    def __init__(
        self,
        status: int,
        type: str,
        detail: str,
        *,
        title: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {type}: {detail}")
        self.status = status
        self.type = type
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.errors = tuple(errors)
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The members of the answer, the id that the logs carry among them."""
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": current_cause().id,
            **self.extra,
        }
        if self.errors:
            body["errors"] = [{"field": error.field, "detail": error.detail} for error in self.errors]
        return body


class Invalid(Problem):
    """The input is wrong."""

    def __init__(self, errors: Sequence[FieldError], detail: str = "Correct the fields named in `errors`.") -> None:
        super().__init__(422, "invalid-input", detail, title="Invalid input", errors=errors)


class Unauthenticated(Problem):
    """No token, or one that does not count."""

    def __init__(self, detail: str = "Sign in, then send the access token as `Authorization: Bearer …`.") -> None:
        super().__init__(401, "unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="lianhu"'})


class Forbidden(Problem):
    """The role may not do this."""

    def __init__(self, detail: str, type: str = "forbidden", **extra: Any) -> None:
        super().__init__(403, type, detail, **extra)


class NotFound(Problem):
    """Not there, or outside the caller's code: the answer is the same."""

    def __init__(self, detail: str = "There is nothing here. Check the address and your reach.") -> None:
        super().__init__(404, "not-found", detail)


class Conflict(Problem):
    """The state does not allow it."""

    def __init__(self, type: str, detail: str, **extra: Any) -> None:
        super().__init__(409, type, detail, **extra)


class TooMany(Problem):
    """Too often; `after` are the seconds until the next try can succeed."""

    def __init__(self, detail: str, after: int) -> None:
        super().__init__(429, "too-many", detail, headers={"Retry-After": str(after)})


class Unavailable(Problem):
    """Something we need is away for a moment."""

    def __init__(self, detail: str, after: int = 2) -> None:
        super().__init__(503, "unavailable", detail, headers={"Retry-After": str(after)})


def answer(problem: Problem) -> JSONResponse:
    """The problem as an `application/problem+json` response."""
    return JSONResponse(problem.body(), problem.status, headers=problem.headers, media_type="application/problem+json")
