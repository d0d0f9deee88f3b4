"""Storage: SQLModel tables without rules. Personal: `contacts`, `people`, `attachments`, the texts of `requests`."""

from requests_service.tables.attachments import Attachment
from requests_service.tables.columns import Table
from requests_service.tables.directory import CatalogueService, Household, OrgUnit
from requests_service.tables.imports import Import, ImportLine
from requests_service.tables.people import Person, PersonRole, Volunteer
from requests_service.tables.requests import Contact, ContactRead, Grade, Holder, Request, ServedPerson, Step
from requests_service.tables.signing_in import Code, LocalCode, WebSession

metadata = Table.metadata

__all__ = [
    "Attachment",
    "CatalogueService",
    "Code",
    "Contact",
    "ContactRead",
    "Grade",
    "Holder",
    "Household",
    "Import",
    "ImportLine",
    "LocalCode",
    "OrgUnit",
    "Person",
    "PersonRole",
    "Request",
    "ServedPerson",
    "Step",
    "Table",
    "Volunteer",
    "WebSession",
    "metadata",
]
