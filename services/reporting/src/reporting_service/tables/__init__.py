"""The tables of reporting: storage, no rules."""

from reporting_service.tables.bulletins import BulletinRow
from reporting_service.tables.facts import FactRow
from reporting_service.tables.generations import Generation
from reporting_service.tables.names import OrgUnit, Person, Service
from reporting_service.tables.registry import Table
from reporting_service.tables.tallies import SpanTally, Tally, VolunteerTally

__all__ = [
    "BulletinRow", "FactRow", "Generation", "OrgUnit", "Person", "Service", "SpanTally", "Table", "Tally",
    "VolunteerTally",
]  # fmt: skip
