"""Answers to a catalogue service's questions: required ones given, each of its type, nothing unasked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

LONGEST = 500

Type = Literal["text", "choice", "number", "date", "bool"]


@dataclass(frozen=True)
class Question:
    """One question of a service; `choices` are the codes to choose from."""

    code: str
    type: Type
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Objection:
    """What is wrong with one field, and what would be right."""

    field: str
    detail: str


def _fault(question: Question, answer: Any) -> str | None:
    match question.type:
        case "text":
            good = isinstance(answer, str) and len(answer.strip()) > 0 and len(answer) <= LONGEST
            return None if good else f"A text of 1 to {LONGEST} characters."
        case "choice":
            good = isinstance(answer, str) and answer in question.choices
            return None if good else f"One of: {', '.join(question.choices)}."
        case "number":
            good = isinstance(answer, int | float) and not isinstance(answer, bool) and abs(answer) < 1e12
            return None if good else "A number, as in 3."
        case "bool":
            return None if isinstance(answer, bool) else "true or false."
        case "date":
            try:
                good = isinstance(answer, str) and len(answer) == 10 and bool(date.fromisoformat(answer))
            except ValueError:
                good = False
            return None if good else "A date, as in 2026-03-01."


def check(questions: Iterable[Question], answers: Mapping[str, Any], *, field: str = "answers") -> list[Objection]:
    """Every objection to a set of answers; empty when they are complete and well-formed."""
    asked = {question.code: question for question in questions}
    found = [
        Objection(f"{field}.{code}", f"This service does not ask this. It asks: {', '.join(asked) or 'nothing'}.")
        for code in answers
        if code not in asked
    ]
    for code, question in asked.items():
        if answers.get(code) is None:
            if question.required:
                found.append(Objection(f"{field}.{code}", "This service needs an answer to this question."))
        elif fault := _fault(question, answers[code]):
            found.append(Objection(f"{field}.{code}", fault))
    return found
