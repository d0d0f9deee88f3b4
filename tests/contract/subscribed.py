"""What each service's consumer says that it reads."""

import importlib
import inspect
from unittest.mock import Mock

from lianhu_kit.inbound import Subscription

SERVICES = ("requests", "dispatch", "notifications", "reporting")


def everything(service: str) -> dict[str, Subscription]:
    """What a service reads, deletions (`deleted:<topic>`) among it."""
    consumer = importlib.import_module(f"{service}_service.consumer")
    declared = getattr(consumer, "SUBSCRIPTIONS", None) or consumer.subscriptions
    if callable(declared):  # its handlers want something; nobody calls them here
        declared = declared(*(Mock() for _ in inspect.signature(declared).parameters))
    assert declared
    return dict(declared)


def subscriptions(service: str) -> dict[str, Subscription]:
    """What a service reads of events by type, deletions apart."""
    return {type: found for type, found in everything(service).items() if not type.startswith("deleted:")}
