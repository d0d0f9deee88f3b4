"""The composition root: what the API and the worker are made of."""

from fastapi import APIRouter, FastAPI

from dispatch_service.api import acts, assignments, counts, desk, offers, record, volunteers, work
from dispatch_service.consumer import TOPICS, subscriptions
from dispatch_service.domain import errors
from dispatch_service.schedule import timers
from dispatch_service.settings import Settings
from dispatch_service.web import board, photos, supervision, tasks
from lianhu_kit.application import create_application
from lianhu_kit.problems import Conflict, FieldError, Invalid, Problem
from lianhu_kit.worker import Work
from lianhu_web.pages import Pages
from lianhu_web.renewing import RemoteRenewal

REVISION = "0008"
# The pages of this service, a router a noun.
PAGES: list[APIRouter] = [photos.router, tasks.router, supervision.router, board.router]


def create_app(settings: Settings) -> FastAPI:
    """The API; nothing connects before it is started."""
    app = create_application(
        settings,
        title="Lianhu dispatch: offers in waves, claims, work on site",
        routers=[
            assignments.router,
            offers.router,
            work.router,
            desk.router,
            volunteers.router,
            counts.router,
            acts.router,
            record.router,
        ],
        required_revision=REVISION,
        problems={errors.Refusal: refused},
        uploads=photos.UPLOADS,
    )
    app.state.refused = refused
    pages = Pages("dispatch_service", prefix="/tasks", timezone=settings.timezone)
    pages.install(app, PAGES, RemoteRenewal(settings.requests_url))
    return app


def worker(settings: Settings) -> Work:
    """What the worker reads, and what its timers do."""
    return Work(
        required_revision=REVISION,
        topics=TOPICS,
        subscriptions=subscriptions(settings),
        timers=timers(settings),
    )


def refused(error: errors.Refusal) -> Problem:
    """The answer to what the rules refuse: 409 with a stable type, or 422 where a field is wrong."""
    detail = str(error)
    match error:
        case errors.IllegalTransition():
            return Conflict("illegal-transition", detail, state=error.state, allowed=error.allowed)
        case errors.AlreadyClaimed():
            return Conflict("already-claimed", detail)
        case errors.OfferEnded():
            return Conflict("offer-ended", detail)
        case errors.AtCapacity():
            return Conflict("at-capacity", detail, load=error.load, capacity=error.capacity)
        case errors.NotEligible():
            return Conflict("not-eligible", detail, bars=error.bars)
        case errors.TwoPeopleNeeded():
            return Conflict("two-people-needed", detail, checked=error.checked)
        case errors.HolderUnclear():
            return Invalid([FieldError("person", detail)])
        case errors.ImpossibleTime():
            return Invalid([FieldError(error.field, detail)])
    return Conflict("not-held", detail)
