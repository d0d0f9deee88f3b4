"""Clients of the broker with the settings that keep promises: explicit offsets, every acknowledgement awaited."""

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.helpers import create_ssl_context

from lianhu_kit.pausing import end_quietly
from lianhu_kit.settings import BrokerSettings


def access(settings: BrokerSettings) -> dict[str, Any]:
    """What a client of any kind is made with, to reach the broker: its address, encryption, user and password."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security.upper(),
    }
    if settings.kafka_security.endswith("ssl"):
        options["ssl_context"] = create_ssl_context(cafile=settings.kafka_authorities or None)
    if settings.kafka_security.startswith("sasl"):
        options["sasl_mechanism"] = settings.kafka_mechanism.upper()
        options["sasl_plain_username"] = settings.kafka_username
        options["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return options


def new_producer(settings: BrokerSettings, client: str) -> AIOKafkaProducer:
    """A producer whose sends are acknowledged by all replicas in sync.

    Not idempotent on purpose: every consumer deduplicates, and one rejected idempotent send would block all others.
    """
    return AIOKafkaProducer(
        client_id=client,
        acks="all",
        enable_idempotence=False,
        linger_ms=0,
        max_batch_size=262_144,  # a relay's page to one partition is one batch
        max_request_size=1_048_576,
        request_timeout_ms=8_000,
        retry_backoff_ms=100,
        **access(settings),
    )


def new_consumer(settings: BrokerSettings, *, group: str | None, client: str) -> AIOKafkaConsumer:
    """A consumer that reads from the beginning, commits nothing by itself and decodes nothing."""
    return AIOKafkaConsumer(
        client_id=client,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=1_000,  # members learn by it that one came or went
        rebalance_timeout_ms=30_000,
        max_poll_interval_ms=120_000,
        fetch_max_wait_ms=200,
        fetch_min_bytes=1,
        max_partition_fetch_bytes=1_048_576,
        request_timeout_ms=8_000,
        retry_backoff_ms=100,
        **access(settings),
    )


async def end_producer(producer: AIOKafkaProducer) -> None:
    """Ends a producer for good.

    A stop that hangs, with the broker away, leaves its sender, its unsent batches and its connections behind; aiokafka
    0.14 has no public way to end these.
    """
    if await end_quietly(producer.stop(), 1):
        return
    sender, unsent = getattr(producer, "_sender", None), getattr(producer, "_message_accumulator", None)
    if sender is not None:
        await end_quietly(sender.close(), 1)
    if unsent is not None:
        # Batches that were to be sent again have left this set, and their end would look for them there.
        unsent._pending_batches.update(batch for queue in unsent._batches.values() for batch in queue)
        unsent.fail_all(ProducerClosed())
    await end_quietly(producer.client.close(), 1)


async def end_consumer(consumer: AIOKafkaConsumer, seconds: float = 5) -> None:
    """Ends a consumer for good: a stop that hangs, with the broker away, leaves its fetcher and connections behind."""
    if not await end_quietly(consumer.stop(), seconds):
        for part in (getattr(consumer, "_fetcher", None), getattr(consumer, "_client", None)):
            if part is not None:
                await end_quietly(part.close(), 1)
