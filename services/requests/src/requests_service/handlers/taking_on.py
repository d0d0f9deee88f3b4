"""Taking on: the village asks for what is missing, accepts, or refuses with a reason."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from lianhu_kit.problems import FieldError, Invalid
from requests_service.domain import answers as rules
from requests_service.domain.statuses import Move
from requests_service.events.published import Accepted, Asked, Rejected, Replied
from requests_service.handlers import clock
from requests_service.handlers.case import Case
from requests_service.handlers.sending import place_in, send_out
from requests_service.handlers.summing_up import write_summary
from requests_service.queries import units


async def ask(case: Case, missing: Sequence[str]) -> None:
    """Names everything that is missing, once (一次性告知)."""
    case.move(Move.ASK)
    case.tell(Asked, details={"missing": list(missing)}, missing_count=len(missing))
    await case.save()


async def reply(case: Case, *, text: str, answers: Mapping[str, Any]) -> None:
    """Brings what was missing; answers to the service's questions are added to those given before."""
    case.move(Move.REPLY)
    if answers:
        service = await units.service_at(case.session, case.request.tenant, case.request.service)
        known = {**case.request.answers, **answers}
        if objections := rules.check(questions_of(service.questions if service else []), known):
            raise Invalid([FieldError(objection.field, objection.detail) for objection in objections])
        case.request.answers = known
    case.tell(Replied, details={"text": text})
    await case.save()


async def accept(
    case: Case,
    *,
    summary: str,
    route: Literal["volunteers", "staff", "none"],
    staff: UUID | None,
    grid: str | None,
    urgent: bool,
    places: int | None,
) -> None:
    """Takes the request on; with a route other than none it goes out in the same transaction.

    Invalid where the summary holds what may not travel.
    """
    case.move(Move.ACCEPT)
    await write_summary(case, summary)
    case.request.accepted_by = case.by
    await place_in(case, grid)
    if urgent:
        await clock.tighten(case)
    case.tell(
        Accepted,
        details={"summary": summary},
        urgent=case.request.urgent,
        limits=case.limits,
        grid=case.request.grid,
    )
    if route != "none":
        await send_out(case, route=route, staff=staff, places=places)
    elif staff is not None or places is not None:
        raise Invalid([FieldError("route", "With route none nobody is sent: leave staff and places out.")])
    await case.save()


async def reject(case: Case, *, reason: str) -> None:
    """Refuses the request; the resident is told the reason."""
    case.move(Move.REJECT)
    case.tell(Rejected, details={"reason": reason})
    await case.end()
    await case.save()


def questions_of(stored: Sequence[Mapping[str, Any]]) -> list[rules.Question]:
    """A service's questions as the rules take them."""
    return [
        rules.Question(
            code=question["code"],
            type=question["type"],
            required=question.get("required", False),
            choices=tuple(choice["code"] for choice in question.get("choices", ())),
        )
        for question in stored
    ]
