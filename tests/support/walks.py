"""The moves of an order, weighted as in a village's life, with all endings and the known crossings."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from support.histories import Order, Place, Raw, some_id, walk

Move = Callable[[Order], bool]
BEGIN = datetime(2026, 1, 5, 1, tzinfo=UTC)


def orders(seed: int, tenants: Iterable[str], number: int, days: int = 45) -> list[Raw]:
    """The events of so many orders in these villages, in the order of their times; other villages, other ids."""
    codes = list(tenants)
    dice = random.Random(f"{seed} {codes}")
    places = [Place.invent(tenant, dice) for tenant in codes]
    events: list[Raw] = []
    for _ in range(number):
        began = BEGIN + timedelta(minutes=dice.randrange(days * 24 * 60))
        events += walk(Order(dice, dice.choice(places), began), _choose)
    return sorted(events, key=lambda event: event.time)


def _choose(order: Order) -> bool:
    if order.dice.random() < 0.25 and order.status not in ("merged", "withdrawn", "transferred", "rejected"):
        _beside(order)
    moves, weights = zip(*_MOVES[order.status].items(), strict=True)
    move: Move = order.dice.choices(moves, weights)[0]
    return move(order)


def _rest(order: Order) -> bool:
    return False


def _beside(order: Order) -> None:
    """What moves no status: contact, a longer limit, a stopped clock, a reminder."""
    kind = order.dice.choice(["contacted", "call", "extended", "suspended", "near"])
    if kind == "contacted" and not order.contacted:
        order.contacted = True
        order.request("contacted", how="phone", at=order.now.isoformat())
    elif kind == "call":
        _call(order, "result", reached=order.dice.random() < 0.6)
    elif kind == "extended" and not order.done and order.longer is None and order.finish and not order.over:
        order.longer = max(order.finish, order.now) + timedelta(hours=order.dice.choice([24, 20_000]))
        due, was = order.longer.isoformat(), order.finish.isoformat()
        order.request("extended", limit="finish", due_at=due, was_due_at=was)
    elif kind == "suspended" and not order.done and not order.over:
        order.suspended = True
        order.request("suspended", until=(order.now + timedelta(days=2)).isoformat())
        if order.dice.random() < 0.7:
            order.wait()
            order.suspended = False
            order.request("resumed", limits=order.limits())
    elif kind == "near" and order.finish is not None:
        order.request("limit-near", limit="finish", due_at=order.finish.isoformat())


def _call(order: Order, purpose: str, reached: bool) -> None:
    delivery = some_id(order.dice)
    audience = order.dice.choice(["resident", "reporter", "clerk"]) if purpose != "confirm" else "resident"
    order.notice("due", delivery, purpose, "call", attempt=1, audience=audience)
    order.wait(2)
    if reached:
        order.contacted = order.contacted or audience != "clerk"
        order.notice("sent", delivery, purpose, "call", attempt=1, by=order.place.people[0], audience=audience)
    else:
        order.notice("failed", delivery, purpose, "call", attempt=1, reason="no-answer", audience=audience)


def _moves_to(status: str, step: str, **data: Any) -> Move:
    def move(order: Order) -> bool:
        order.move(status, step, **data)
        return True

    return move


def _ends(status: str, step: str, data: Callable[[Order], dict[str, Any]] = lambda _: {}) -> Move:
    """Ends the request; work that was under way is cancelled, or crosses on its way."""

    def move(order: Order) -> bool:
        under_way = order.status in ("dispatched", "claimed", "in_progress")
        order.over = True
        crossing = order.dice.choice(["none", "claim", "completion"]) if under_way else "none"
        if crossing == "completion" and order.holders:
            _complete_one(order, order.holders[0], last=True)
        order.move(status, step, **data(order))
        if crossing == "claim" and len(order.holders) < order.places:
            _take(order)
        if under_way and crossing != "completion":
            held, order.holders = order.holders, []
            reason = {"withdrawn": "withdrawn", "merged": "merged"}.get(status, "referred")
            order.work("cancelled", "cancelled", reason=reason, holders=held)
        order.holders = []
        return status in ("referred", "with_town") or (status in ("merged", "rejected") and order.dice.random() < 0.2)

    return move


def _accept(order: Order) -> bool:
    if order.dice.random() < 0.2:  # found urgent: tighter limits from the first hour on
        order.contact = order.events[0].time + timedelta(hours=1)
    if order.grid is None:
        order.grid = order.dice.choice([None, *order.place.grids])
    order.move("accepted", "accepted", urgent=False, limits=order.limits(), grid=order.grid)
    return True


def _dispatch(order: Order) -> bool:
    order.round += 1
    order.assignment, order.holders, order.completed = some_id(order.dice), [], 0
    order.checked_in = set()
    order.places = order.dice.choice([1, 1, 1, 2])
    order.move(
        "dispatched", "dispatch-requested", round=order.round, number=order.events[0].data["number"],
        service=order.service, kind="convenience", summary="水龙头漏水", grid=order.grid, household=None,
        route="volunteers", staff=None, places=order.places, urgent=False, minor=False, skill=None,
        limits=order.limits(), exclude=sorted(order.excluded),
    )  # fmt: skip
    order.grid = order.grid or order.dice.choice(order.place.grids)
    order.work("routed", "routed", service=order.service, urgent=False, minor=False, route="volunteers")
    order.work("offered", "offered", wave=1, audience="grid", people=order.place.people, offered_until=None)
    if order.dice.random() < 0.2:
        order.work("escalated", "offered", to="leader", wave=3)
    return True


def _take(order: Order) -> None:
    free = [person for person in order.place.people if person not in order.holders]
    person = order.dice.choice(free)
    order.holders.append(person)
    order.excluded.add(person)
    state = "claimed" if len(order.holders) == order.places else "offered"
    order.work("claimed", state, by=person, person=person, name="张*", via="offer")


def _claim(order: Order) -> bool:
    _take(order)
    if len(order.holders) == order.places:
        order.status = "claimed"
    return True


def _check_in(order: Order) -> bool:
    for person in order.holders:
        order.checked_in.add(person)
        order.work("checked-in", "in_progress", by=person, person=person, at=order.now.isoformat())
    order.status = "in_progress"
    return True


def _complete_one(order: Order, person: str, last: bool) -> None:
    minutes = order.dice.choice([None, 20, 45])
    if person in order.checked_in and order.dice.random() < 0.6:
        at = order.now.isoformat()
        order.work("checked-out", "in_progress", by=person, person=person, at=at, minutes=order.dice.randrange(90))
    order.work(
        "completed", "completed" if last else "in_progress", by=person, person=person, last=last,
        served_person_times=order.dice.choice([0, 1, 1, 3]), minutes=minutes, evidence="photo",
        checked_in=person in order.checked_in,
    )  # fmt: skip


def _complete(order: Order) -> bool:
    for place, person in enumerate(order.holders):
        _complete_one(order, person, last=place == len(order.holders) - 1)
        if place < len(order.holders) - 1:
            order.wait(3)
    order.done = True
    return _completed(order, "dispatch")


def _completed(order: Order, via: str) -> bool:
    order.done = True
    order.status = "completed"
    evidence = {"dispatch": "photo", "answer": "source", "agency": "agency"}[via]
    order.request(
        "completed", round=order.round if via == "dispatch" else None, via=via, evidence=evidence,
        confirm_by=(order.now + timedelta(days=7)).isoformat(),
    )  # fmt: skip
    return True


def _answer(order: Order) -> bool:
    order.move("completed", "answered")
    return _completed(order, "answer")


def _agency(order: Order) -> bool:
    if order.dice.random() < 0.3:
        order.over = False
        return _moves_to("accepted", "agency-replied", outcome="bounced")(order)
    order.move("completed", "agency-replied", outcome="done")
    return _completed(order, "agency")


def _back_to_accepted(step: str, **data: Any) -> Move:
    def move(order: Order) -> bool:
        order.over = False
        order.move("accepted", step, **data)
        return True

    return move


def _release(order: Order) -> bool:
    person = order.holders.pop()
    order.work("released", "offered", by=person, person=person)
    order.status = "dispatched"
    return True


def _return(order: Order) -> bool:
    order.holders = []
    order.work("returned", "returned", by=order.place.people[0])
    order.status = "accepted"
    return True


def _confirm(order: Order) -> bool:
    source = order.dice.choice(["resident", "callback"])
    if source == "callback" and order.dice.random() < 0.7:
        _call(order, "confirm", reached=True)
    grade = order.dice.choice([5, 5, 4, 3, 2, 1])
    solved = order.dice.choice(["yes", "yes", "partly", "no"]) if grade > 2 else order.dice.choice(["no", "partly"])
    first, order.graded = not order.graded, True
    again = (solved == "no" or grade <= 2) and order.reopened < 2
    if not again:
        order.status = "closed_confirmed"
    order.request("confirmed", solved=solved, grade=grade, source=source, first=first)
    if again:
        order.reopened += 1
        order.move("accepted", "reopened", reason_kind="grade", count=order.reopened)
        return True
    order.request("closed", how="confirmed")
    return False


def _nobody_answers(order: Order) -> bool:
    _call(order, "confirm", reached=False)
    _call(order, "confirm", reached=False)
    order.move("closed_unconfirmed", "closed", how="unconfirmed")
    return order.dice.random() < 0.3


def _into(order: Order) -> dict[str, Any]:
    return {"into": some_id(order.dice), "number_into": f"{order.dice.randrange(10**8):08d}"}


_WITHDRAW = _ends("withdrawn", "withdrawn")
_MERGE = _ends("merged", "merged", _into)
_REFER = _ends("referred", "referred")
_REPORT_UP = _ends("with_town", "reported-up", lambda order: {"to": order.place.tenant[:9]})
_TRANSFER = _ends("transferred", "transferred", lambda order: {**_into(order), "tenant_into": order.place.tenant})
_MOVES: dict[str, dict[Move, float]] = {
    "submitted": {
        _accept: 60, _ends("rejected", "rejected"): 6, _moves_to("awaiting_resident", "asked", missing_count=1): 8,
        _WITHDRAW: 4, _MERGE: 5, _TRANSFER: 2, _REPORT_UP: 2, _rest: 4,
    },
    "awaiting_resident": {_moves_to("submitted", "replied"): 70, _WITHDRAW: 15, _MERGE: 5, _rest: 10},
    "accepted": {_dispatch: 70, _answer: 10, _REFER: 8, _WITHDRAW: 3, _MERGE: 3, _REPORT_UP: 2, _rest: 4},
    "with_town": {
        _back_to_accepted("sent-back", unit="000000000"): 3, _answer: 3, _REFER: 2, _dispatch: 2, _rest: 1,
    },
    "dispatched": {_claim: 75, _return: 6, _WITHDRAW: 5, _MERGE: 3, _REFER: 3, _rest: 6},
    "claimed": {_check_in: 55, _complete: 20, _release: 8, _return: 4, _WITHDRAW: 5, _rest: 6},
    "in_progress": {_complete: 80, _release: 4, _return: 3, _WITHDRAW: 4, _rest: 6},
    "completed": {_confirm: 75, _nobody_answers: 15, _rest: 10},
    "closed_unconfirmed": {_confirm: 1},
    "closed_confirmed": {_rest: 1},
    "referred": {_agency: 70, _WITHDRAW: 5, _rest: 25},
    "rejected": {
        _back_to_accepted("reviewed", outcome="overturned"): 1,
        _ends("rejected", "reviewed", lambda _: {"outcome": "upheld"}): 1,
    },
    "merged": {_moves_to("submitted", "split", out_of="0195b3c0-0102-7102-8102-000000000102"): 1},
    "withdrawn": {_rest: 1},
    "transferred": {_rest: 1},
}  # fmt: skip
