"""Why an act was refused, in the visitor's words."""

from lianhu_web.visiting import Visitor
from lianhu_web.words import N_

SENTENCES = {
    "already-claimed": N_("Somebody was faster: the places are taken."),
    "offer-ended": N_("The time to answer is over; it goes on to others."),
    "at-capacity": N_("You hold as much as you said you can: finish or give back something first."),
    "not-eligible": N_("This asks for a skill or a check that you do not have."),
    "two-people-needed": N_("Two people with a valid check have to hold it first."),
    "illegal-transition": N_("This is not possible where it stands now. Open it again and look."),
    "not-held": N_("You do not hold it."),
    "gone": N_("It is not with you any more: it was taken back, or given to somebody else."),
    "not-found": N_("It is not with you any more: it was taken back, or given to somebody else."),
    "too-old": N_("This happened over 72 hours ago. Tell your grid leader; they can note it."),
    "invalid-input": N_("This time cannot be right. Leave it out, or give the time as it was."),
}


def refused_because(visitor: Visitor, kind: str, otherwise: str) -> str:
    """The sentence for a problem's type; `otherwise` where there is none."""
    known = SENTENCES.get(kind)
    return visitor.say(known) if known is not None else otherwise
