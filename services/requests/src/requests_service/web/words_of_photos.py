"""What pages say about photos."""

from lianhu_kit.problems import Problem
from lianhu_web.faults import Faults, of_problem
from lianhu_web.visiting import Visitor
from lianhu_web.words import N_
from requests_service.domain.photos import TAKES_PHOTOS, NotYours, OrderEnded, PhotosFull, Purpose
from requests_service.domain.statuses import Status
from requests_service.handlers import reencoding

SHOWS = {Purpose.ORDER: N_("what it is about"), Purpose.COMPLETION: N_("what was done")}
# The same sentences as the calls say, here for the catalogues.
SENTENCES = {
    reencoding.NO_FILE: N_("There is no photo in it. Choose one and send it again."),
    reencoding.NOT_ONE: N_("This is no photo that can be read. Send a JPEG, PNG or WebP file."),
    reencoding.HEIC: N_(
        "Photos of the kind HEIC cannot be read here. Set the camera to JPEG, or send a screenshot of the photo."
    ),
    reencoding.TOO_LARGE: N_("The photo is over 8 MB. Send a smaller one, or a screenshot of it."),
    reencoding.TOO_MANY_POINTS: N_(
        "The photo has too many points. Take it with a lower resolution, or send a screenshot of it."
    ),
    reencoding.BUSY: N_("Too many photos are being read at the moment. Send it again in a minute."),
}
REFUSALS: dict[type[Exception], str] = {
    OrderEnded: N_("The order has ended; no photo is added any more."),
    PhotosFull: N_("There are three photos already. Take one away first."),
    NotYours: N_("Photos are added by the resident, the desk and whoever holds the work."),
}


REFUSED = (Problem, OrderEnded, PhotosFull, NotYours)


def can_add(status: str) -> bool:
    """Whether an order takes photos as it stands."""
    return Status(status) in TAKES_PHOTOS


def of_photo(refused: Exception, visitor: Visitor) -> Faults:
    """Why a photo was not taken: at its field, or of the whole where the order takes none. Raises all else."""
    if type(refused) in REFUSALS:
        return {"form": visitor.say(REFUSALS[type(refused)])}
    if isinstance(refused, Problem) and refused.status in (422, 503):
        return {"photo": next(iter(of_problem(refused, visitor, SENTENCES).values()))}
    raise refused
