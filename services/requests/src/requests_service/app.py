"""The composition root: settings in, the API or the worker's work out."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI

from lianhu_kit.application import create_application
from lianhu_kit.database import Database
from lianhu_kit.problems import Conflict, Forbidden, Problem, Unavailable
from lianhu_kit.worker import Work
from lianhu_web.pages import Pages
from requests_service.api import (
    contact_points,
    directory,
    endings,
    importing,
    intake,
    keys,
    moves,
    people,
    photos,
    reads,
    signing_in,
    standing_still,
    town,
)
from requests_service.api.doors import Rates
from requests_service.consumer import SUBSCRIPTIONS, TOPICS
from requests_service.domain.about import UnseenByVillage
from requests_service.domain.grades import NotYourCallback, TooLate
from requests_service.domain.imports import LinesWrong, NotNow
from requests_service.domain.photos import NotYours, OrderEnded, PhotosFull
from requests_service.domain.standing_still import (
    AlreadySuspended,
    ExtendedBefore,
    LimitOver,
    NoLimit,
    NothingAsked,
    NotSuspended,
)
from requests_service.domain.statuses import IllegalTransition
from requests_service.domain.town import NotOneLevelUp, OwnDecision, WithVillage
from requests_service.domain.undoing import NothingToUndo, UndoOver
from requests_service.handlers.codes import Codes, CodeSender, LocalSender, NoSender
from requests_service.handlers.fingerprints import served_key
from requests_service.handlers.gauges import measure
from requests_service.handlers.importing.running import Running
from requests_service.handlers.intake import NumbersExhausted
from requests_service.handlers.phone_messages import PhoneMessages
from requests_service.handlers.reencoding import Reencoder
from requests_service.handlers.sampling import NotSampled
from requests_service.handlers.signing_in import Signer
from requests_service.schedule import TIMERS
from requests_service.settings import Settings
from requests_service.web import account as account_pages
from requests_service.web import front, ordering, tracking
from requests_service.web import imports as imports_pages
from requests_service.web import photos as photo_pages
from requests_service.web import signing_in as signing_in_pages
from requests_service.web.desk import admin, catalogue, one, queues, roles, services
from requests_service.web.desk import intake as desk_intake
from requests_service.web.desk import parts as desk_parts
from requests_service.web.desk import people as desk_people
from requests_service.web.desk import samples as desk_samples
from requests_service.web.desk import town as desk_town
from requests_service.web.renewing import OwnRenewal

REQUIRED_REVISION = "0019"
# The pages of this service, a router a noun.
PAGES: list[APIRouter] = [
    front.router,
    photo_pages.router,  # before those that take any word where it says `photos`
    ordering.router,
    tracking.router,
    account_pages.router,
    signing_in_pages.router,
    queues.router,
    desk_intake.router,
    desk_town.router,
    desk_samples.router,
    admin.router,
    catalogue.router,
    services.router,
    desk_people.router,
    roles.router,
    desk_parts.router,
    imports_pages.router,
    one.router,
]

PROBLEMS: dict[type[Exception], Callable[[Any], Problem]] = {
    IllegalTransition: lambda error: Conflict(
        "illegal-transition", str(error), state=error.status.value, allowed=list(error.allowed)
    ),
    NotYourCallback: lambda error: Forbidden(str(NotYourCallback.__doc__), type="not-your-callback"),
    NotOneLevelUp: lambda error: Forbidden(str(NotOneLevelUp.__doc__), type="not-one-level-up"),
    WithVillage: lambda error: Forbidden(str(WithVillage.__doc__), type="with-village"),
    OwnDecision: lambda error: Forbidden(str(OwnDecision.__doc__), type="own-decision"),
    AlreadySuspended: lambda error: Conflict("already-suspended", str(AlreadySuspended.__doc__)),
    UnseenByVillage: lambda error: Conflict("unseen-by-village", str(UnseenByVillage.__doc__)),
    NotSuspended: lambda error: Conflict("not-suspended", str(NotSuspended.__doc__)),
    NothingAsked: lambda error: Conflict("nothing-asked", str(NothingAsked.__doc__)),
    ExtendedBefore: lambda error: Conflict("extended-before", str(ExtendedBefore.__doc__)),
    LimitOver: lambda error: Conflict("limit-over", str(LimitOver.__doc__)),
    NoLimit: lambda error: Conflict("no-limit", str(NoLimit.__doc__)),
    NotNow: lambda error: Conflict("not-now", str(error), state=error.state, allowed=list(error.allowed)),
    LinesWrong: lambda error: Conflict("lines-wrong", str(LinesWrong.__doc__)),
    NotSampled: lambda error: Conflict("not-sampled", str(NotSampled.__doc__)),
    NothingToUndo: lambda error: Conflict("nothing-to-undo", str(NothingToUndo.__doc__)),
    UndoOver: lambda error: Conflict("undo-over", str(UndoOver.__doc__)),
    OrderEnded: lambda error: Conflict("order-ended", str(OrderEnded.__doc__)),
    PhotosFull: lambda error: Conflict("photos-full", str(PhotosFull.__doc__)),
    NotYours: lambda error: Forbidden(str(NotYours.__doc__), type="not-yours"),
    TooLate: lambda error: Conflict("too-late", str(TooLate.__doc__)),
    NumbersExhausted: lambda error: Unavailable(str(NumbersExhausted.__doc__)),
}


def create_app(settings: Settings) -> FastAPI:
    """The API of this service. Nothing connects before it is started."""

    @asynccontextmanager
    async def own_state(app: FastAPI) -> AsyncIterator[None]:
        app.state.served_key = served_key(settings.signing_keys)
        app.state.zone = ZoneInfo(settings.timezone)
        app.state.importing = Running(app.state.database)
        app.state.reencode = Reencoder()
        app.state.rates = Rates(
            app.state.database,
            app.state.served_key,
            orders_per_minute=settings.orders_per_minute,
            tracks_per_minute=settings.tracks_per_minute,
            sign_ins_per_minute=settings.sign_ins_per_minute,
        )
        app.state.refusals = PROBLEMS
        app.state.signer = Signer(settings.signing_keys, settings.auth_issuer)
        sender = _sender(settings, app.state.database, app.state.signer)
        app.state.codes = Codes(app.state.database, app.state.served_key, sender)
        yield
        await app.state.importing.close()

    app = create_application(
        settings,
        title="Lianhu requests",
        routers=[
            intake.router,
            reads.router,
            moves.router,
            endings.router,
            town.router,
            standing_still.router,
            directory.router,
            people.router,
            importing.router,
            keys.router,
            signing_in.router,
            contact_points.router,
            photos.router,
        ],
        required_revision=REQUIRED_REVISION,
        problems=PROBLEMS,
        uploads=(*importing.UPLOADS, *photos.UPLOADS),
        during=[own_state],
    )
    pages = Pages("requests_service", prefix="/order", timezone=settings.timezone)
    pages.install(app, PAGES, OwnRenewal(app))
    return app


def _sender(settings: Settings, database: Database, signer: Signer) -> CodeSender:
    if settings.local:
        return LocalSender(database)
    return PhoneMessages(settings.notifications_url, signer) if settings.notifications_url else NoSender()


def work(_settings: Settings) -> Work:
    """What the worker of this service reads, and what its timers do."""
    return Work(REQUIRED_REVISION, TOPICS, SUBSCRIPTIONS, timers=TIMERS, measures=[measure])
