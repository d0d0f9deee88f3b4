"""The declared table: which event tells whom, with which words, and whether somebody without an inbox is called.

One event tells one recipient once: where two rules name the same, the first one speaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from notifications_service.domain.audiences import Audience as To


@dataclass(frozen=True)
class Rule:
    """One row: event → audience → template.

    `purpose` says what the message is for, `call` whether who has no inbox is called, `when` which fields of the event
    must have which value, `once` that it is said once for a request rather than once for each such event.
    """

    event: str
    to: To
    template: str
    purpose: str
    call: bool = False
    when: Mapping[str, Any] = field(default_factory=dict)
    once: bool = False

    def fits(self, event: str, data: Mapping[str, Any]) -> bool:
        """Whether the row speaks about this event."""
        return event == self.event and all(data.get(name) == value for name, value in self.when.items())


CONFIRM_LIMIT = {"limit": "confirm"}
CONTACT_LIMIT = {"limit": "contact"}
FINISH_LIMIT = {"limit": "finish"}
UPHELD = {"outcome": "upheld"}
OVERTURNED = {"outcome": "overturned"}

HEARS: tuple[Rule, ...] = (
    # Taken on or not
    Rule("request.submitted", To.CLERKS, "request-new", "news"),
    Rule("request.asked", To.RESIDENT, "request-asked", "ask", call=True),
    Rule("request.asked", To.REPORTER, "request-asked", "ask"),
    Rule("request.replied", To.CLERKS, "request-replied", "news"),
    Rule("request.accepted", To.RESIDENT, "request-accepted", "news"),
    Rule("request.accepted", To.REPORTER, "request-accepted", "news"),
    Rule("request.rejected", To.RESIDENT, "request-rejected", "result", call=True),
    Rule("request.rejected", To.REPORTER, "request-rejected", "result"),
    Rule("request.merged", To.RESIDENT, "request-merged", "merged", call=True),
    Rule("request.merged", To.REPORTER, "request-merged", "merged"),
    Rule("request.merged", To.TARGET, "request-joined", "merged", call=True, once=True),
    Rule("request.referred", To.RESIDENT, "request-referred", "news", call=True),
    Rule("request.referred", To.REPORTER, "request-referred", "news"),
    # An agency's work and an answer end in request.completed, which tells; a bounce ends nothing, so it tells itself.
    Rule("request.agency-replied", To.RESIDENT, "agency-bounced", "news", call=True, when={"outcome": "bounced"}),
    Rule("request.agency-replied", To.REPORTER, "agency-bounced", "news", when={"outcome": "bounced"}),
    Rule("request.transferred", To.RESIDENT, "request-transferred", "news", call=True),
    Rule("request.transferred", To.REPORTER, "request-transferred", "news"),
    # Decided one level up
    Rule("request.reviewed", To.RESIDENT, "review-upheld", "result", call=True, when=UPHELD),
    Rule("request.reviewed", To.REPORTER, "review-upheld", "result", when=UPHELD),
    Rule("request.reviewed", To.RESIDENT, "review-overturned", "result", call=True, when=OVERTURNED),
    Rule("request.reviewed", To.REPORTER, "review-overturned", "result", when=OVERTURNED),
    Rule("request.reviewed", To.CLERKS, "desk-overturned", "news", when=OVERTURNED),
    Rule("request.reported-up", To.TOWN, "town-reported", "news"),
    Rule("request.reported-up", To.RESIDENT, "request-with-town", "news"),
    Rule("request.reported-up", To.REPORTER, "request-with-town", "news"),
    Rule("request.sent-back", To.CLERKS, "desk-sent-back", "news"),
    Rule("request.split", To.RESIDENT, "request-split", "merged", call=True),
    Rule("request.split", To.REPORTER, "request-split", "merged"),
    Rule("request.split", To.CLERKS, "desk-split", "news"),
    # Whoever waits longer hears it and until when; the desk and the grid plan by it.
    Rule("request.suspended", To.RESIDENT, "request-suspended", "limit", call=True),
    Rule("request.suspended", To.REPORTER, "request-suspended", "limit"),
    Rule("request.suspended", To.CLERKS, "desk-suspended", "limit"),
    Rule("request.suspended", To.LEADERS, "desk-suspended", "limit"),
    Rule("request.resumed", To.RESIDENT, "request-resumed", "limit"),
    Rule("request.resumed", To.REPORTER, "request-resumed", "limit"),
    Rule("request.resumed", To.CLERKS, "desk-resumed", "limit"),
    Rule("request.resumed", To.LEADERS, "desk-resumed", "limit"),
    Rule("request.extended", To.RESIDENT, "request-extended", "limit", call=True, when=FINISH_LIMIT),
    Rule("request.extended", To.REPORTER, "request-extended", "limit", when=FINISH_LIMIT),
    Rule("request.extended", To.CLERKS, "contact-extended", "limit", when=CONTACT_LIMIT),
    Rule("request.extended", To.CLERKS, "finish-extended", "limit", when=FINISH_LIMIT),
    Rule("request.extended", To.LEADERS, "finish-extended", "limit", when=FINISH_LIMIT),
    # Done, asked, ended
    Rule("request.completed", To.RESIDENT, "confirm-answer", "confirm", call=True, when={"via": "answer"}),
    Rule("request.completed", To.RESIDENT, "confirm-agency", "confirm", call=True, when={"via": "agency"}),
    Rule("request.completed", To.RESIDENT, "confirm-work", "confirm", call=True),
    Rule("request.completed", To.REPORTER, "request-done", "result"),
    Rule("request.completed", To.FOLLOWERS, "merged-done", "result", call=True),
    Rule("request.reopened", To.RESIDENT, "request-reopened", "news"),
    Rule("request.reopened", To.REPORTER, "request-reopened", "news"),
    Rule("request.reopened", To.CLERKS, "desk-reopened", "news"),
    Rule("request.closed", To.RESIDENT, "closed-confirmed", "result", when={"how": "confirmed"}),
    Rule("request.closed", To.RESIDENT, "closed-unconfirmed", "result", when={"how": "unconfirmed"}),
    # Limits
    Rule("request.limit-near", To.RESIDENT, "confirm-reminder", "confirm", call=True, when=CONFIRM_LIMIT),
    Rule("request.limit-near", To.CLERKS, "contact-near", "limit", when=CONTACT_LIMIT),
    Rule("request.limit-near", To.LEADERS, "contact-near", "limit", when=CONTACT_LIMIT),
    Rule("request.limit-near", To.CLERKS, "finish-near", "limit", when=FINISH_LIMIT),
    Rule("request.limit-near", To.LEADERS, "finish-near", "limit", when=FINISH_LIMIT),
    Rule("request.limit-passed", To.CLERKS, "contact-passed", "limit", when=CONTACT_LIMIT),
    Rule("request.limit-passed", To.LEADERS, "contact-passed", "limit", when=CONTACT_LIMIT),
    Rule("request.limit-passed", To.CLERKS, "finish-passed", "limit", when=FINISH_LIMIT),
    Rule("request.limit-passed", To.LEADERS, "finish-passed", "limit", when=FINISH_LIMIT),
    Rule("request.limit-passed", To.CLERKS, "confirm-passed", "limit", when=CONFIRM_LIMIT),
    # Who comes
    Rule("dispatch.offered", To.PEOPLE, "task-open", "offer", when={"offered_until": None}),
    Rule("dispatch.offered", To.PEOPLE, "task-offered", "offer"),
    Rule("dispatch.assigned", To.PERSON, "task-ordered", "assigned", when={"ordered": True}),
    Rule("dispatch.assigned", To.PERSON, "task-assigned", "assigned"),
    Rule("dispatch.claimed", To.GUARDIAN, "guardian-visit", "guardian", call=True),
    Rule("dispatch.claimed", To.RESIDENT, "visit-coming", "visit", call=True),
    Rule("dispatch.claimed", To.REPORTER, "visit-coming", "visit"),
    Rule("dispatch.released", To.LEADERS, "task-released", "news"),
    Rule("dispatch.released", To.RESIDENT, "visit-off", "visit"),
    Rule("dispatch.returned", To.CLERKS, "task-returned", "news"),
    Rule("dispatch.escalated", To.LEADERS, "task-unclaimed", "limit", when={"to": "leader"}),
    Rule("dispatch.escalated", To.TOWN, "task-unclaimed", "limit", when={"to": "town"}),
    Rule("dispatch.reminded", To.PEOPLE, "task-reminder", "limit"),
    Rule("dispatch.supervised", To.PEOPLE, "task-supervised", "supervision"),
    Rule("dispatch.supervised", To.LEADERS, "task-supervised", "supervision"),
    Rule("dispatch.cancelled", To.HOLDERS, "task-cancelled", "cancelled"),
    # A call that could not reach anyone, told by this service itself
    Rule("call.wrong-number", To.CLERKS, "call-wrong-number", "news"),
)

EVENTS: frozenset[str] = frozenset(rule.event for rule in HEARS)


def rules_for(event: str, data: Mapping[str, Any]) -> list[Rule]:
    """The rows that speak about an event, in the table's order."""
    return [rule for rule in HEARS if rule.fits(event, data)]
