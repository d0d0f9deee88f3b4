"""The order form: what stands in its fields, and the order that it asks for."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lianhu_web.faults import Faults
from lianhu_web.guarding import Fields, fields_of, text_of
from lianhu_web.visiting import Visitor
from lianhu_web.words import N_
from requests_service.tables import CatalogueService

NOTICE = "2026-01"
SENSITIVE = f"{NOTICE}+sensitive"
FIELDS = (
    "text", "who", "served_name", "name", "phone", "reach", "relation", "address", "wanted_from", "wanted_to",
    "guardian_name", "guardian_phone", "guardian", "notice", "sensitive", "door", "household", "grid", "about",
)  # fmt: skip
WHO = {
    "self": N_("For myself"),
    "elderly": N_("For an old person"),
    "adult": N_("For another adult"),
    "child": N_("For a child"),
    "household": N_("For a household"),
}
ABOUT = {
    "staff": N_("About somebody of the staff"),
    "volunteer": N_("About a volunteer"),
}
# Where a fault of the order stands on the form.
PLACES = {
    "contact.name": "name", "contact.phone": "phone", "contact": "name", "contact.relation": "relation",
    "served.name": "served_name", "served.kind": "who", "served.guardian_consent": "guardian_name",
    "served.guardian_consent.name": "guardian_name", "served.guardian_consent.phone": "guardian_phone",
    "wanted": "wanted_from", "wanted.from": "wanted_from", "wanted.to": "wanted_to", "tenant": "form",
    "service": "form", "grid": "form", "household": "form", "door": "form",
}  # fmt: skip
SENTENCES = {
    "Nobody could be told what comes of the order. Give a phone, a household, or `reach` in words.": N_(
        "Say how we can reach you: a phone, or through whom."
    ),
    "This service needs an answer to this question.": N_("This service needs an answer here."),
    "The end comes before the beginning. Give `from` before `to`.": N_("The end comes before the beginning."),
    "The wanted time is over. Give one that is to come.": N_("This time is over; give one that is to come."),
    "The wanted time is more than a year away. Give an earlier one.": N_("This is more than a year away."),
}
NOTICE_NEEDED = N_("Please read the notice and tick it.")
SENSITIVE_NEEDED = N_("Please tick this too: it is about somebody who needs special care.")
GUARDIAN_NEEDED = N_("A child's order needs the guardian's name, phone and consent.")


def typed(form: Fields, service: CatalogueService) -> dict[str, str]:
    """What stands in the form, question by question, as it is shown again."""
    names = (*FIELDS, *(f"a.{question['code']}" for question in service.questions))
    return fields_of(form, *names)


def order_body(
    values: Mapping[str, str], tenant: str, service: CatalogueService, zone: ZoneInfo, now: datetime
) -> dict[str, Any]:
    """The body of an order, as a program would send it."""
    who = values.get("who", "self")
    body: dict[str, Any] = {
        "tenant": tenant,
        "service": service.code,
        "text": values.get("text", ""),
        "notice": SENSITIVE if values.get("sensitive") else NOTICE,
        "answers": _answers(values, service),
        **{name: values[name] for name in ("reach", "address", "door", "household", "grid", "about") if name in values},
    }
    if "name" in values or "phone" in values:
        relation = "self" if who == "self" else values.get("relation")
        body["contact"] = {
            "name": values.get("name", ""),
            **({"phone": values["phone"]} if "phone" in values else {}),
            **({"relation": relation} if relation else {}),
        }
    if who != "self":
        body["served"] = {"kind": who, **({"name": values["served_name"]} if "served_name" in values else {})}
        if values.get("guardian"):
            body["served"]["guardian_consent"] = {
                "name": values.get("guardian_name", ""), "phone": values.get("guardian_phone", ""), "at": now,
            }  # fmt: skip
    wanted = {
        end: moment
        for end, name in (("from", "wanted_from"), ("to", "wanted_to"))
        if (moment := _moment(values.get(name), zone)) is not None
    }
    if wanted:
        body["wanted"] = wanted
    return body


def own_faults(values: Mapping[str, str], visitor: Visitor) -> Faults:
    """What the form itself asks for: the notice, and a tick of its own for sensitive data (PIPL, art. 29)."""
    faults: Faults = {}
    if not values.get("notice"):
        faults["notice"] = visitor.say(NOTICE_NEEDED)
    if values.get("who") in ("child", "elderly") and not values.get("sensitive"):
        faults["sensitive"] = visitor.say(SENSITIVE_NEEDED)
    if values.get("who") == "child" and not values.get("guardian"):
        faults["guardian"] = visitor.say(GUARDIAN_NEEDED)
    return faults


def on_the_form(faults: Faults) -> Faults:
    """Faults of an order at the fields of the form."""
    return {PLACES.get(name, name.replace("answers.", "a.")): words for name, words in faults.items()}


def _answers(values: Mapping[str, str], service: CatalogueService) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for question in service.questions:
        value = values.get(f"a.{question['code']}")
        if value is None:
            continue
        match question["type"]:
            case "number":
                try:
                    given[question["code"]] = float(value) if "." in value else int(value)
                except ValueError:
                    given[question["code"]] = value  # the rules say what is wrong with it
            case "bool":
                given[question["code"]] = value == "yes"
            case _:
                given[question["code"]] = value
    return given


def _moment(value: str | None, zone: ZoneInfo) -> datetime | str | None:
    """A local day and time of a form, in the village's zone."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=zone)
    except ValueError:
        return value


def stage_of(form: Fields) -> str:
    """Which button was pressed: to check, to change, to place."""
    given = text_of(form, "stage") or "check"
    return given if given in ("check", "change", "place") else "check"
