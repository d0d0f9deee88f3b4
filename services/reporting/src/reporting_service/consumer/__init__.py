"""What reporting reads of the topics, and what a batch of it does."""

from reporting_service.consumer.subscriptions import COMPACTED, SUBSCRIPTIONS, TOPICS, applying, live

__all__ = ["COMPACTED", "SUBSCRIPTIONS", "TOPICS", "applying", "live"]
