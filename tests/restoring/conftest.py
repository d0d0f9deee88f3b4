"""A system of the drill's own: what it loses is nobody else's."""

from e2e.conftest import settlement, system

__all__ = ["settlement", "system"]
