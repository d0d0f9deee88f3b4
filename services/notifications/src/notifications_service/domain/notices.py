"""From an event to the list of notices: the table, the audiences and the call list put together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from notifications_service.domain.audiences import Matter, Official, Recipient, recipients
from notifications_service.domain.calls import overtaken
from notifications_service.domain.hearing import Rule, rules_for

INBOX = "inbox"
CALL = "call"


@dataclass(frozen=True)
class Happening:
    """An event as the rules see it: id, type without prefix and version, who did it, its data, whether it is stale."""

    id: str
    event: str
    by: UUID | None
    data: Mapping[str, Any]
    stale: bool = False


@dataclass(frozen=True)
class Notice:
    """One thing to tell one recipient. `about` is what it is told once for: the event, or the request."""

    template: str
    purpose: str
    audience: str
    channel: str
    matter: Matter
    person: UUID | None
    recipient: str
    about: str
    state: str
    reason: str | None = None


def notices(happening: Happening, matter: Matter, officials: Collection[Official]) -> list[Notice]:
    """Everything that an event tells, each recipient once; who did it is not told of it.

    States: `sent` for an inbox, `due` for a call, `suppressed` with a reason where nobody is told.
    """
    if matter.unseen and happening.event == "request.submitted":
        return []  # it is reported up at once, which tells the town
    told: dict[str, Notice] = {}
    for rule in rules_for(happening.event, happening.data):
        for recipient in recipients(rule.to, matter, happening.data, officials):
            if recipient.key in told or (recipient.person is not None and recipient.person == happening.by):
                continue
            by_call = recipient.person is None and not recipient.nobody
            if by_call and not rule.call:
                continue
            told[recipient.key] = _notice(rule, recipient, happening, by_call=by_call)
    return list(told.values())


def _notice(rule: Rule, recipient: Recipient, happening: Happening, *, by_call: bool) -> Notice:
    state, reason = ("due", None) if by_call else ("sent", None)
    if recipient.nobody:
        state, reason = "suppressed", "nobody"
    elif by_call and recipient.matter.unseen:
        state, reason = "suppressed", "unseen"
    elif overtaken(happening.event, recipient.audience, recipient.matter.status, by_call=by_call):
        state, reason = "suppressed", "superseded"
    elif by_call and happening.stale:
        state, reason = "suppressed", "too-late"
    return Notice(
        template=rule.template,
        purpose=rule.purpose,
        audience=recipient.audience,
        channel=CALL if by_call else INBOX,
        matter=recipient.matter,
        person=recipient.person,
        recipient=recipient.key,
        about=str(recipient.matter.id) if rule.once else happening.id,
        state=state,
        reason=reason,
    )


def ask_once(plan: Sequence[Notice], open_questions: Collection[str]) -> list[Notice]:
    """The plan without second calls for a question that is still on the call list (recipients in `open_questions`)."""
    return [
        replace(notice, state="suppressed", reason="duplicate")
        if notice.purpose == "confirm" and notice.state == "due" and notice.recipient in open_questions
        else notice
        for notice in plan
    ]
