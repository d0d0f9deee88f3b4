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
from notifications_service.domain.choices import Channel
from notifications_service.handlers.calls import CallMade
from notifications_service.handlers.carrying import Carrier
from notifications_service.handlers.contact_points import ContactPoints
from notifications_service.handlers.mail import mail_carrier
from notifications_service.handlers.phone import PhoneCarrier, provider_of
from notifications_service.handlers.sending import Sender
from notifications_service.handlers.voice import Voice, own_texts
from notifications_service.schedule import timers
from notifications_service.settings import Settings
from notifications_service.web import calls as calls_pages
from notifications_service.web import inbox as inbox_pages
from notifications_service.web import preferences as preferences_pages

REVISION = "0008"
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
    return Work(
        required_revision=REVISION,
        topics=TOPICS,
        subscriptions=subscriptions(voice),
        timers=timers(voice),
        background=[sender.run for sender in senders(settings)],
    )


def senders(settings: Settings) -> list[Sender]:
    """Who brings messages out of the house, a channel each."""
    contacts = ContactPoints(settings.requests_url, settings.service_token)
    return [Sender(channel, carrier, contacts) for channel, carrier in _carriers(settings).items()]


def _carriers(settings: Settings) -> dict[Channel, Carrier]:
    """The channels of this deployment: those that it set up, once it can ask how people are reached."""
    found: dict[Channel, Carrier] = {}
    if not settings.service_token.get_secret_value():
        return found
    if settings.phone_gateway:
        found[Channel.PHONE] = PhoneCarrier(provider_of(settings.phone_gateway, settings.state_directory))
    if settings.mail_server:
        found[Channel.MAIL] = mail_carrier(
            settings.mail_server, settings.mail_from, settings.public_url, settings.state_directory
        )
    return found


def voice_of(settings: Settings) -> Voice:
    """The deployment's language, time zone, ways outward and units' own texts; BadTexts where those are not right."""
    return Voice(
        settings.locale, ZoneInfo(settings.timezone), frozenset(_carriers(settings)), own_texts(settings.texts)
    )


def _call_made(error: CallMade) -> Conflict:
    return Conflict(
        "call-ended",
        "This call has ended already: read the list again and go on with the calls that are due.",
        state=error.state,
        outcome=error.outcome,
    )
