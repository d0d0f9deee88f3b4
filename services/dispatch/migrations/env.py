"""How alembic reaches dispatch's database."""

from dispatch_service.tables import Table
from lianhu_kit.upgrading import environment

environment(Table.metadata)
