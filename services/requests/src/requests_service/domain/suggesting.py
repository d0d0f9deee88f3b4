"""A first draft of the summary: the service and the answers that are choices. Nothing that somebody typed is in it."""

from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 200


def suggested_summary(service: str, questions: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> str:
    """The service's name, and behind it the labels that were chosen: what a clerk then completes."""
    chosen = []
    for question in questions:
        given = answers.get(question["code"])
        if question["type"] == "choice":
            chosen += [choice["label"] for choice in question["choices"] if choice["code"] == given]
        elif question["type"] == "bool" and given is True:
            chosen.append(question["label"])
    words = f"{service}：{'，'.join(chosen)}" if chosen else service
    return words[:LONGEST]
