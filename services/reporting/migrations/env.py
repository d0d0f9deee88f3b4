"""How alembic reaches reporting's database."""

from lianhu_kit.upgrading import environment
from reporting_service.tables import Table

environment(Table.metadata)
