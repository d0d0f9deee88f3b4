"""What pages say about photos."""

from lianhu_kit.problems import Problem
from lianhu_web.faults import Faults, of_problem
from lianhu_web.photos import SENTENCES
from lianhu_web.visiting import Visitor
from requests_service.domain.photos import TAKES_PHOTOS, NotYours, OrderEnded, PhotosFull
from requests_service.domain.statuses import Status

REFUSED = (Problem, OrderEnded, PhotosFull, NotYours)


def can_add(status: str) -> bool:
    """Whether an order takes photos as it stands."""
    return Status(status) in TAKES_PHOTOS


def of_photo(refused: Exception, visitor: Visitor) -> Faults:
    """Why a photo was not taken: at its field, or of the whole where the order takes none. Raises all else."""
    if isinstance(refused, (OrderEnded, PhotosFull, NotYours)):
        return {"form": visitor.say(str(refused.__doc__))}
    if isinstance(refused, Problem) and refused.status in (422, 503):
        return {"photo": next(iter(of_problem(refused, visitor, SENTENCES).values()))}
    raise refused
