"""What reporting reads of the topics, and what a batch of it does."""

from reporting_service.consumer.subscriptions import BATCH, COMPACTED, SUBSCRIPTIONS, TOPICS, applying, live

__all__ = ["BATCH", "COMPACTED", "SUBSCRIPTIONS", "TOPICS", "applying", "live"]
