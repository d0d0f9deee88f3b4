"""The door for timers: which kinds there are, and what each does."""

from collections.abc import Mapping

from lianhu_kit.timers import TimerHandler
from requests_service.handlers.clock import TIMERS as LIMITS
from requests_service.handlers.complaining import TO_TOWN, report_complaint
from requests_service.handlers.importing.starting import IMPORT_OVER, forget
from requests_service.handlers.photos import PHOTO_OVER, look_again

TIMERS: Mapping[str, TimerHandler] = {**LIMITS, IMPORT_OVER: forget, PHOTO_OVER: look_again, TO_TOWN: report_complaint}

__all__ = ["TIMERS"]
