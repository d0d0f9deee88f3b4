"""What the processes of reporting are made of."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI

from lianhu_kit.application import create_application
from lianhu_kit.worker import Work
from lianhu_web.pages import Pages
from lianhu_web.renewing import RemoteRenewal
from reporting_service.api import bulletins, figures, reconciliation, streams, tallies, timelines
from reporting_service.consumer import BATCH, SUBSCRIPTIONS, TOPICS, applying, live
from reporting_service.handlers.filling import fill
from reporting_service.settings import Settings
from reporting_service.web import reports

REQUIRED_REVISION = "0007"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# The pages of this service, a router a noun.
PAGES: list[APIRouter] = [reports.router]


def create_app(settings: Settings) -> FastAPI:
    """The API: it only reads."""
    app = create_application(
        settings,
        title="Lianhu reporting",
        routers=[each.router for each in (streams, figures, tallies, timelines, reconciliation, bulletins)],
        required_revision=REQUIRED_REVISION,
        during=[reconciliation.others],
    )
    pages = Pages("reporting_service", prefix="/reports", timezone=settings.timezone)
    pages.install(app, PAGES, RemoteRenewal(settings.requests_url))
    return app


def create_work(settings: Settings) -> Work:
    """The worker: folds the topics into facts and tallies, batch by batch."""
    return Work(
        required_revision=REQUIRED_REVISION,
        topics=TOPICS,
        subscriptions=SUBSCRIPTIONS,
        apply=applying(),
        generation=live(settings.zone),
        background=[fill],
        batch=BATCH,
    )
