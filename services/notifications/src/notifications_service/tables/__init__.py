"""What is stored, and no rules."""

from notifications_service.tables.deliveries import Delivery, Message, Sending
from notifications_service.tables.directory import Household, OrgUnit, PersonRole, Preference, Service
from notifications_service.tables.requests import RequestCopy
from notifications_service.tables.table import Table

__all__ = [
    "Delivery",
    "Household",
    "Message",
    "OrgUnit",
    "PersonRole",
    "Preference",
    "RequestCopy",
    "Sending",
    "Service",
    "Table",
]
