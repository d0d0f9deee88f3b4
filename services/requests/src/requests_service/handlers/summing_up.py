"""The summary: what of a request may travel."""

from lianhu_kit.problems import FieldError, Invalid
from requests_service.domain import summary as summaries
from requests_service.handlers.case import Case
from requests_service.tables import Contact


async def write_summary(case: Case, summary: str) -> None:
    """Gives the request its summary; Invalid where it holds what may not travel."""
    contact = await case.session.get(Contact, case.request.id)
    people = (contact.name, contact.served_name, contact.guardian_name) if contact else ()
    objections = summaries.objections(summary, names=people, address=contact.address if contact else None)
    if objections:
        raise Invalid([FieldError("summary", objection) for objection in objections])
    case.request.summary = summary
