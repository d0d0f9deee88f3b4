"""What templates may say: each with the values it declares, so that nothing else can slip into a message."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

Text = Mapping[str, str]  # title and body
Texts = Mapping[str, Text]

# Everything that a message can hold. None of it is personal: a volunteer's `name` arrives masked.
VARIABLES: frozenset[str] = frozenset({"number", "service", "place", "name", "until", "missing"})

_ORDER = frozenset({"number", "service"})
_TASK = _ORDER | {"place"}

TEMPLATES: Mapping[str, frozenset[str]] = {
    "request-new": _TASK,
    "request-asked": _ORDER | {"missing"},
    "request-replied": _TASK,
    "request-accepted": _ORDER,
    "request-rejected": _ORDER,
    "request-merged": _ORDER,
    "request-joined": _ORDER,
    "request-referred": _ORDER,
    "agency-bounced": _ORDER,
    "review-upheld": _ORDER,
    "review-overturned": _ORDER,
    "desk-overturned": _TASK,
    "town-reported": _TASK,
    "request-with-town": _ORDER,
    "desk-sent-back": _TASK,
    "request-split": _ORDER,
    "desk-split": _TASK,
    "request-suspended": _ORDER | {"until"},
    "desk-suspended": _TASK | {"until"},
    "request-resumed": _ORDER,
    "desk-resumed": _TASK,
    "request-extended": _ORDER | {"until"},
    "contact-extended": _TASK | {"until"},
    "finish-extended": _TASK | {"until"},
    "confirm-work": _ORDER,
    "confirm-answer": _ORDER,
    "confirm-agency": _ORDER,
    "confirm-reminder": _ORDER,
    "request-done": _ORDER,
    "merged-done": _ORDER,
    "request-reopened": _ORDER,
    "desk-reopened": _TASK,
    "closed-confirmed": _ORDER,
    "closed-unconfirmed": _ORDER,
    "contact-near": _TASK | {"until"},
    "finish-near": _TASK | {"until"},
    "contact-passed": _TASK | {"until"},
    "finish-passed": _TASK | {"until"},
    "confirm-passed": _TASK,
    "task-open": _TASK,
    "task-offered": _TASK | {"until"},
    "task-ordered": _TASK,
    "task-assigned": _TASK,
    "guardian-visit": _ORDER | {"name"},
    "visit-coming": _ORDER | {"name"},
    "visit-off": _ORDER,
    "task-released": _TASK,
    "task-returned": _TASK,
    "task-unclaimed": _TASK,
    "task-reminder": _TASK,
    "task-supervised": _TASK | {"until"},
    "task-cancelled": _TASK,
    "call-wrong-number": _TASK,
}


def placeholders(text: str) -> set[str]:
    """The names that a text asks for, as in `{number}`; ValueError for anything but plain names."""
    names: set[str] = set()
    for _, name, format_spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or format_spec or conversion:
            raise ValueError(f"{{{name}}} is no plain name: a template takes names only")
        names.add(name)
    return names


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its values; KeyError names a value that is missing."""
    return text.format_map(values)


def faults_of(texts: Mapping[str, Any]) -> list[str]:
    """What makes texts unusable, in words: unknown templates, missing parts, variables that the template lacks."""
    found: list[str] = []
    for name, text in texts.items():
        if name not in TEMPLATES:
            found.append(f"[{name}] is no template; look for its name in the service's own texts")
        elif not isinstance(text, Mapping) or set(text) != {"title", "body"}:
            found.append(f"[{name}] needs `title` and `body`, and nothing else")
        else:
            found += [fault for part in ("title", "body") if (fault := _fault(name, part, text[part]))]
    return found


def _fault(name: str, part: str, text: Any) -> str:
    known = ", ".join(f"{{{one}}}" for one in sorted(TEMPLATES[name]))
    if not isinstance(text, str) or not text.strip():
        return f"[{name}] {part} is empty; write a sentence"
    try:
        strange = placeholders(text) - TEMPLATES[name]
    except ValueError as error:
        return f"[{name}] {part}: {error}; it can say {known}"
    return f"[{name}] {part} asks for {', '.join(sorted(strange))}; it can say {known}" if strange else ""
