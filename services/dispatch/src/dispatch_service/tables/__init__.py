"""What dispatch stores. Storage only: the rules are in `domain`, row-level security in the migrations."""

from dispatch_service.tables.assignments import Assignment, Holding, Move, Offer
from dispatch_service.tables.directory import Household, OrgUnit, Volunteer
from dispatch_service.tables.registry import Table
from dispatch_service.tables.requests import Request

__all__ = ["Assignment", "Holding", "Household", "Move", "Offer", "OrgUnit", "Request", "Table", "Volunteer"]
