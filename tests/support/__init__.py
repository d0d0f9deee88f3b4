"""What tests share: real stores for a session, villages of their own, waiting for conditions, tokens."""

from support.conditions import eventually
from support.people import bearer, token
from support.places import village

__all__ = ["bearer", "eventually", "token", "village"]
