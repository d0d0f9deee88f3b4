"""The form of a service: what stands in its fields, and the body of the call that it asks for."""

import re
from collections.abc import Mapping
from typing import Any

from lianhu_web.faults import Faults, read
from lianhu_web.guarding import Fields, text_of
from lianhu_web.visiting import Visitor
from lianhu_web.words import N_
from requests_service.api.directory import QuestionBody, ServiceBody
from requests_service.tables import CatalogueService

QUESTIONS = 20
SPARE = 2
PLAIN = ("name", "name_en", "description", "kind", "route_default", "skill", "places_default")
LIMITS = {
    "contact": N_("Hours until somebody speaks with the resident"),
    "finish": N_("Hours until it is done"),
    "confirm": N_("Hours that a resident has to confirm"),
}
KINDS = {
    "convenience": N_("Help in daily life"),
    "consultation": N_("A question to answer"),
    "errand": N_("An errand with papers"),
    "visit": N_("A visit at home"),
    "public-issue": N_("A public matter"),
    "class": N_("A lesson for children"),
}
ROUTES = {
    "volunteers": N_("Volunteers are asked"),
    "staff": N_("Somebody of the staff goes"),
    "none": N_("The village decides each time"),
}
TYPES = {
    "text": N_("words"),
    "choice": N_("one of these"),
    "number": N_("a number"),
    "date": N_("a day"),
    "bool": N_("yes or no"),
}
PARTS = ("code", "label", "label_en", "type", "required", "choices")
NOT_HOURS = N_("Write a number of hours, such as 7 or 3.5.")
NO_CHOICES = N_("“One of these” needs its choices, one a line; no other kind has any.")
OWN_KEYS = N_("Each question, and each choice of a question, needs a key of its own.")
_HOURS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,4})?")


def typed(form: Fields) -> dict[str, str]:
    """What stands in the form, as it is shown again; rows of questions that hold nothing are left out."""
    names = ("code", "guardian_consent", *PLAIN, *LIMITS, *(f"{name}_working" for name in LIMITS))
    values = {name: text_of(form, name) or "" for name in names}
    rows = [{part: text_of(form, f"q{row}.{part}") or "" for part in PARTS} for row in range(QUESTIONS)]
    kept = [row for row in rows if row["code"] or row["label"] or row["choices"]]
    return values | {f"q{place}.{part}": value for place, row in enumerate(kept) for part, value in row.items()}


def of_service(service: CatalogueService) -> dict[str, str]:
    """A service that is known, as it stands in the fields."""
    values = {name: str(getattr(service, name) or "") for name in ("code", *PLAIN)}
    values["guardian_consent"] = "yes" if service.guardian_consent else ""
    for name in LIMITS:
        limit = service.limits.get(name) or {}
        values[name] = f"{round(limit['seconds'] / 3600, 4):.10g}" if "seconds" in limit else ""
        values[f"{name}_working"] = "yes" if limit.get("working") else ""
    for place, question in enumerate(service.questions):
        values |= {f"q{place}.{part}": str(question.get(part) or "") for part in ("code", "label", "label_en", "type")}
        values[f"q{place}.required"] = "yes" if question.get("required") else ""
        lines = [(each["code"], each["label"], each.get("label_en")) for each in question.get("choices") or ()]
        values[f"q{place}.choices"] = "\n".join(" = ".join(part for part in line if part) for line in lines)
    return values


def rows_of(values: Mapping[str, str]) -> int:
    """How many rows for questions the form has: those that are filled, and some to spare."""
    return min(QUESTIONS, sum(f"q{row}.code" in values for row in range(QUESTIONS)) + SPARE)


def service_of(
    values: Mapping[str, str], fixed: Mapping[str, Any], visitor: Visitor
) -> tuple[ServiceBody | None, Faults]:
    """The service as programs would send it, or what is wrong with which field; `fixed` is what the form cannot set."""
    questions, faults = _questions(values, visitor)
    limits, wrong = _limits(values, visitor)
    plain = {name: values[name] for name in ("code", *PLAIN) if values.get(name)}
    consent = bool(values.get("guardian_consent"))
    given = {**plain, "guardian_consent": consent, "questions": questions, "limits": limits, **fixed}
    body, others = read(ServiceBody, given, visitor)
    if "form" in others:  # the one rule over several fields
        others["form"] = visitor.say(OWN_KEYS)
    placed = {_place(name): words for name, words in others.items()}
    faults = placed | wrong | faults
    return (None if faults else body), faults


def _place(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "limits" and len(parts) > 1 else parts[0]


def _limits(values: Mapping[str, str], visitor: Visitor) -> tuple[dict[str, Any], Faults]:
    limits: dict[str, Any] = {}
    faults: Faults = {}
    for name in LIMITS:
        hours = values.get(name, "")
        limit: dict[str, Any] = {} if name == "confirm" else {"working": bool(values.get(f"{name}_working"))}
        if _HOURS.fullmatch(hours):
            limit["seconds"] = round(float(hours) * 3600)
        elif hours:
            faults[name] = visitor.say(NOT_HOURS)
        limits[name] = limit
    return limits, faults


def _questions(values: Mapping[str, str], visitor: Visitor) -> tuple[list[QuestionBody], Faults]:
    found: list[QuestionBody] = []
    faults: Faults = {}
    for row in range(QUESTIONS):
        if f"q{row}.code" not in values:
            break
        given: dict[str, Any] = {part: values[f"q{row}.{part}"] for part in ("code", "label", "label_en", "type")}
        given = {name: value for name, value in given.items() if value}
        given["required"] = bool(values[f"q{row}.required"])
        given["choices"] = [_choice(line) for line in values[f"q{row}.choices"].splitlines() if line.strip()]
        question, wrong = read(QuestionBody, given, visitor)
        if "form" in wrong:
            wrong = {"choices": visitor.say(NO_CHOICES)}
        faults |= {f"q{row}.{name.split('.')[0]}": words for name, words in wrong.items()}
        found += [question] if question is not None else []
    return found, faults


def _choice(line: str) -> dict[str, str]:
    """A line as `key = 中文 = English`; the English may be left out."""
    parts = [part.strip() for part in line.replace("＝", "=").split("=", 2)]
    return dict(zip(("code", "label", "label_en"), (part for part in parts if part), strict=False))
