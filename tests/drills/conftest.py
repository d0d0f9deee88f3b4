"""A system of the drills' own: what they lose is nobody else's."""

from e2e.conftest import settlement, system

__all__ = ["settlement", "system"]
