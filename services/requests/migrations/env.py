"""Runs this service's revisions; see lianhu_kit.migrations."""

from lianhu_kit.migrations import environment
from requests_service.tables import metadata

environment(metadata)
