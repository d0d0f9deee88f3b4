"""How alembic reaches the notifications' database."""

from lianhu_kit.upgrading import environment
from notifications_service.tables import Table

environment(Table.metadata)
