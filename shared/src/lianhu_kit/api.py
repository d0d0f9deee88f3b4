"""What the JSON routes of every service share: the call's transaction, bodies, pages of lists."""

import base64
import binascii
import math
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints, field_validator
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database
from lianhu_kit.divisions import level_of
from lianhu_kit.problems import FieldError, Invalid

# What zones, days and limits are added to must stay within what Python and PostgreSQL can both calculate with.
FIRST_YEAR, LAST_YEAR = 1900, 9000
DEEPEST = 20


async def transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """The one transaction of a call."""
    database: Database = request.app.state.database
    async with database.transaction() as session:
        yield session


# Scoped to the function: the commit happens before the answer is sent, so a failing commit is never a success.
Session = Annotated[AsyncSession, Depends(transaction, scope="function")]


def _storable(value: Any, depth: int = 0) -> Any:
    """What JSON columns and events can hold: any text but NUL and half pairs, 64-bit and finite numbers, not too deep.

    NUL: PostgreSQL's jsonb; the others: orjson, which writes both.
    """
    if depth > DEEPEST:
        raise ValueError(f"must not be nested more than {DEEPEST} deep")
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("must not hold the character NUL")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("must hold whole Unicode characters, no half of a surrogate pair") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _storable(key)
            _storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _storable(item, depth + 1)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("must not be a number over 64 bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


class Body(BaseModel):
    """The body of a command: unknown fields are refused, texts are checked to be storable."""

    model_config = ConfigDict(extra="forbid", str_max_length=2000)

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_stored(cls, value: Any) -> Any:
        return _storable(value)


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


def _one_line(value: str) -> str:
    if any(character in value for character in "\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"):
        raise ValueError("must be one line")
    return value


def _code(value: str) -> str:
    level_of(value)
    return value


def _of_our_time(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_not_blank),
    AfterValidator(_one_line),
]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_not_blank)]
DivisionCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,17}$"), AfterValidator(_code)]
VillageCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]


@dataclass(frozen=True)
class Paging:
    """Where a page of a list begins and how long it is; `after` is what the page before gave as `next`."""

    after: list[Any] | None
    limit: int

    @property
    def after_id(self) -> UUID | None:
        """The id after which the page begins, for lists in the order of ids; None for the first page."""
        place = self.place(UUID)
        return place[0] if place else None

    def place(self, *kinds: Callable[[str], Any]) -> tuple[Any, ...] | None:
        """The sort values after which the page begins, each read by its kind (`UUID`, `int`, `datetime.fromisoformat`).

        None for the first page; Invalid for a cursor that was never given out: it comes from outside.
        """
        if self.after is None:
            return None
        try:
            pairs = zip(kinds, self.after, strict=True)
            return tuple(None if value is None else kind(str(value)) for kind, value in pairs)
        except (ValueError, ArithmeticError):
            raise _not_a_cursor() from None


def _paging(
    after: Annotated[str | None, Query(max_length=500, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Paging:
    return Paging(decode_cursor(after) if after else None, limit)


Page = Annotated[Paging, Depends(_paging)]


def encode_cursor(values: Sequence[Any]) -> str:
    """The place in a list after a row with these sort values, as an opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values), default=str)).decode().rstrip("=")


def decode_cursor(cursor: str) -> list[Any]:
    """What `encode_cursor` was given; Invalid for anything else."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = _storable(orjson.loads(raw))
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list):
        raise _not_a_cursor()
    return values


def _not_a_cursor() -> Invalid:
    return Invalid([FieldError("after", "Send the `next` of the page before, or leave it out.")])


def page_of(items: Sequence[Any], limit: int, cursor: Sequence[Any] | None) -> dict[str, Any]:
    """A list's answer. Read `limit + 1` rows; `cursor` are the sort values of the last row that is shown."""
    answer: dict[str, Any] = {"items": list(items[:limit])}
    if len(items) > limit and cursor is not None:
        answer["next"] = encode_cursor(cursor)
    return answer
