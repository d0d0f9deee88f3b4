"""The door for timers: which kinds there are, and what each does."""

from requests_service.handlers.clock import TIMERS

__all__ = ["TIMERS"]
