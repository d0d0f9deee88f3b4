"""The composition root: what the API and the worker are made of."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI

from lianhu_kit.application import create_application
from lianhu_kit.problems import Conflict
from lianhu_kit.worker import Work
from lianhu_web.pages import Pages
from lianhu_web.renewing import RemoteRenewal
from notifications_service.api import calls, codes, deliveries, inbox, preferences
from notifications_service.api.doorbells import answering
from notifications_service.consumer import TOPICS, subscriptions
from notifications_service.handlers.calls import CallMade
from notifications_service.handlers.phone import provider_of
from notifications_service.handlers.voice import Voice
from notifications_service.schedule import timers
from notifications_service.settings import Settings
from notifications_service.web import calls as calls_pages
from notifications_service.web import inbox as inbox_pages
from notifications_service.web import preferences as preferences_pages

REVISION = "0005"
# The pages of this service, a router a noun.
PAGES: list[APIRouter] = [inbox_pages.router, calls_pages.router, preferences_pages.router]


def create_app(settings: Settings) -> FastAPI:
    """The API; nothing connects before it is started."""
    app = create_application(
        settings,
        title="Lianhu notifications: who hears what, and who has to be called",
        routers=[inbox.router, preferences.router, calls.router, deliveries.router, codes.router],
        required_revision=REVISION,
        problems={CallMade: _call_made},
        during=[answering],
    )
    pages = Pages("notifications_service", prefix="/inbox", timezone=settings.timezone)
    pages.install(app, PAGES, RemoteRenewal(settings.requests_url))
    app.state.voice = voice_of(settings)
    app.state.phones = provider_of(settings.phone_gateway, settings.state_directory)
    return app


def work(settings: Settings) -> Work:
    """What the worker reads, and what its timers do."""
    voice = voice_of(settings)
    return Work(required_revision=REVISION, topics=TOPICS, subscriptions=subscriptions(voice), timers=timers(voice))


def voice_of(settings: Settings) -> Voice:
    """The deployment's language and time zone."""
    return Voice(settings.locale, ZoneInfo(settings.timezone))


def _call_made(error: CallMade) -> Conflict:
    return Conflict(
        "call-ended",
        "This call has ended already: read the list again and go on with the calls that are due.",
        state=error.state,
        outcome=error.outcome,
    )
