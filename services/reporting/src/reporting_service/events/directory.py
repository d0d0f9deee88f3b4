"""Trimmed events of the topic lianhu.directory.v1: the names that reports show."""

from __future__ import annotations

from uuid import UUID

from reporting_service.events.trimmed import Trimmed


class OrgUnit(Trimmed):
    """org-unit.upserted"""

    code: str
    name: str


class Service(Trimmed):
    """service.upserted"""

    tenant: str
    code: str
    name: str


class Volunteer(Trimmed):
    """volunteer.upserted; the name comes masked."""

    id: UUID
    tenant: str
    name: str


class Deleted(Trimmed):
    """A tombstone: the key says who is gone."""
