"""What notifications reads of the topics, and what each event does."""

from notifications_service.consumer.subscriptions import DIRECTORY, DISPATCH, REQUESTS, TOPICS, subscriptions

__all__ = ["DIRECTORY", "DISPATCH", "REQUESTS", "TOPICS", "subscriptions"]
