"""How alembic reaches the notifications' database."""

from lianhu_kit.migrations import environment
from notifications_service.tables import Table

environment(Table.metadata)
