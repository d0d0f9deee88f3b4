"""Runs this service's revisions; see lianhu_kit.upgrading."""

from lianhu_kit.upgrading import environment
from requests_service.tables import metadata

environment(metadata)
