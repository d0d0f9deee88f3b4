"""What is wrong with a form, field by field, in the visitor's words."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lianhu_kit.problems import Problem
from lianhu_web.visiting import Visitor
from lianhu_web.words import N_

Shape = TypeVar("Shape", bound=BaseModel)
Faults = dict[str, str]
# By pydantic's kinds of errors, and by the sentences of the kit's own checks.
_BY_KIND = {
    "missing": N_("This is needed."),
    "string_too_short": N_("This is needed."),
    "string_too_long": N_("This is too long; shorten it."),
    "string_pattern_mismatch": N_("This does not have the right form; check it."),
    "literal_error": N_("Choose one of the values offered."),
    "enum": N_("Choose one of the values offered."),
    "uuid_parsing": N_("Choose one of the values offered."),
    "int_parsing": N_("Write a whole number."),
    "int_type": N_("Write a whole number."),
    "greater_than_equal": N_("This number is too small."),
    "less_than_equal": N_("This number is too large."),
    "datetime_parsing": N_("Write a day and a time."),
    "datetime_from_date_parsing": N_("Write a day and a time."),
    "timezone_aware": N_("Write a day and a time."),
    "bool_parsing": N_("Choose one of the values offered."),
}
_BY_WORDS = {
    "must not be blank": N_("This is needed."),
    "must be one line": N_("Write it in one line."),
    "must not hold the character NUL": N_("There is a character in it that cannot be kept; remove it."),
    "must be a phone number: 11 digits for a mobile, area code and number, or + and country code": N_(
        "Write a phone number: 11 digits for a mobile, area code and number, or + and country code."
    ),
}
_OTHERWISE = N_("This is not right; check it.")


def read(shape: type[Shape], given: dict[str, Any], visitor: Visitor) -> tuple[Shape | None, Faults]:
    """A form's fields as the shape says, or what is wrong with each of them; values are never repeated."""
    try:
        return shape.model_validate(given), {}
    except ValidationError as error:
        faults: Faults = {}
        for fault in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in fault["loc"] if isinstance(part, str)) or "form"
            words = fault["msg"].removeprefix("Value error, ")
            faults.setdefault(name, visitor.say(_BY_KIND.get(fault["type"]) or _BY_WORDS.get(words) or _OTHERWISE))
        return None, faults


def of_problem(problem: Problem, visitor: Visitor, sentences: dict[str, str] | None = None) -> Faults:
    """A refusal as faults of the form: by its fields where it names some, else of the whole form.

    `sentences` are further translations of English sentences, marked with N_.
    """
    known = {**_BY_WORDS, **(sentences or {})}
    if not problem.errors:
        return {"form": visitor.say(known.get(problem.detail, problem.detail))}
    return {error.field: visitor.say(known.get(error.detail, error.detail)) for error in problem.errors}
