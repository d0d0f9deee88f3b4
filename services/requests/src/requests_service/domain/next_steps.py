"""What happens next with an order, in plain words for whoever placed it; `%(by)s` is a day and time."""

from requests_service.domain.statuses import Status

NEXT = {
    Status.SUBMITTED: "The village looks at it and speaks with you by %(by)s.",
    Status.AWAITING_RESIDENT: "Bring or tell the village what is missing; then it goes on.",
    Status.ACCEPTED: "Somebody is being found for it; it is to be done by %(by)s.",
    Status.DISPATCHED: "Volunteers are being asked; it is to be done by %(by)s.",
    Status.CLAIMED: "The volunteer contacts you and comes; it is to be done by %(by)s.",
    Status.IN_PROGRESS: "The work is going on.",
    Status.REFERRED: "The agency answers the village, and the village tells you.",
    Status.WITH_TOWN: "The town decides, and the village tells you.",
    Status.COMPLETED: "Please say by %(by)s whether it is solved.",
    Status.CLOSED_UNCONFIRMED: "You can still say whether it was solved.",
}
WITHOUT_TIME = {
    Status.SUBMITTED: "The village looks at it and speaks with you.",
    Status.ACCEPTED: "Somebody is being found for it.",
    Status.DISPATCHED: "Volunteers are being asked.",
    Status.CLAIMED: "The volunteer contacts you and comes.",
    Status.COMPLETED: "Please say whether it is solved.",
}


def due_field(status: Status) -> str:
    """Which limit `by` names in this state."""
    if status == Status.SUBMITTED:
        return "contact_due"
    return "confirm_due" if status == Status.COMPLETED else "finish_due"
