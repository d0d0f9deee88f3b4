"""What templates may say: each with the values it declares, so that nothing else can slip into a message."""

from collections.abc import Mapping
from string import Formatter

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
