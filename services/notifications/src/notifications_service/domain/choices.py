"""What a person chooses of how they are told: for each kind of message and each channel, at once, next morning or not.

The inbox holds everything whatever is chosen: it is also the record of what somebody was told.
"""

from collections.abc import Mapping
from enum import StrEnum


class Channel(StrEnum):
    """The ways outward, beside the inbox and the call list."""

    PHONE = "phone"
    MAIL = "mail"


class Pace(StrEnum):
    """When something is brought: at once, with everything else in one message the next morning, or not at all."""

    NOW = "now"
    MORNING = "morning"
    OFF = "off"


class Kind(StrEnum):
    """What messages are for, as people choose among them."""

    QUESTIONS = "questions"
    VISITS = "visits"
    PROGRESS = "progress"
    OFFERS = "offers"
    WORK = "work"
    LIMITS = "limits"


KIND_OF: Mapping[str, Kind] = {
    "ask": Kind.QUESTIONS,
    "confirm": Kind.QUESTIONS,
    "visit": Kind.VISITS,
    "guardian": Kind.VISITS,
    "result": Kind.PROGRESS,
    "merged": Kind.PROGRESS,
    "news": Kind.PROGRESS,
    "offer": Kind.OFFERS,
    "assigned": Kind.WORK,
    "cancelled": Kind.WORK,
    "supervision": Kind.WORK,
    "limit": Kind.LIMITS,
}

# A phone rings for what somebody waits for; mail comes to who asked for it.
DEFAULTS: Mapping[Channel, Mapping[Kind, Pace]] = {
    Channel.PHONE: {
        Kind.QUESTIONS: Pace.NOW,
        Kind.VISITS: Pace.NOW,
        Kind.PROGRESS: Pace.OFF,
        Kind.OFFERS: Pace.NOW,
        Kind.WORK: Pace.NOW,
        Kind.LIMITS: Pace.OFF,
    },
    Channel.MAIL: dict.fromkeys(Kind, Pace.OFF),
}

Choices = Mapping[str, Mapping[str, str]]  # channel → kind → pace, as stored: only what was chosen


def pace_of(choices: Choices, channel: Channel, kind: Kind) -> Pace:
    """What was chosen, else the default."""
    return Pace(choices.get(channel, {}).get(kind, DEFAULTS[channel][kind]))


def all_of(choices: Choices) -> dict[Channel, dict[Kind, Pace]]:
    """Every choice, the defaults where none was made."""
    return {channel: {kind: pace_of(choices, channel, kind) for kind in Kind} for channel in Channel}
