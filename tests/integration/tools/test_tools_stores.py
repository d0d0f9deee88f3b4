"""The two stores start, keep what they were given over a crash, and keep each role in its place."""

import time

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from lianhu_tools.stores import topics
from support import eventually
from support.stores import TOPICS, Kafka, Postgres, elsewhere


async def test_every_declared_topic_is_there_with_its_settings(kafka: str) -> None:
    declared = {topic.name: topic for topic in topics.declared(TOPICS)}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        seen = {row["topic"]: len(row["partitions"]) for row in await admin.describe_topics(list(declared))}
        assert seen == {name: topic.partitions for name, topic in declared.items()}
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "lianhu.directory.v1")])
        settings = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        assert settings["cleanup.policy"] == "compact"
        assert settings["retention.ms"] == "-1"
    finally:
        await admin.close()


async def test_topics_are_made_once_and_corrected_later(kafka: str) -> None:
    assert await topics.create(kafka, topics.declared(TOPICS)) == []


async def test_a_writer_whose_clock_is_hours_off_is_heard_and_decides_no_time(kafka: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        for hours in (-2, 2):
            claimed = int((time.time() + hours * 3600) * 1000)
            topic = "lianhu.intake-replies.v1"
            sent = await producer.send_and_wait(topic, b"late or early", key=b"clock", timestamp_ms=claimed)
            assert abs(sent.timestamp - claimed) > 3_600_000


async def test_an_undeclared_topic_is_not_made_by_use(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        [row] = await admin.describe_topics(["lianhu.nobody-declared-this.v1"])
        assert row["error_code"] == 3  # UNKNOWN_TOPIC_OR_PARTITION
    finally:
        await admin.close()


async def test_an_acknowledged_event_survives_the_brokers_crash(broker: Kafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    await producer.start()
    sent = await producer.send_and_wait("lianhu.intake-replies.v1", b"kept", key=b"crash", partition=3)
    await producer.stop()
    broker.kill()
    broker.start()

    async def read() -> bytes | None:
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
        try:
            await consumer.start()
            place = TopicPartition(sent.topic, sent.partition)
            consumer.assign([place])
            consumer.seek(place, sent.offset)
            found = await consumer.getmany(place, timeout_ms=2000)
            return found[place][0].value if found else None
        except Exception:  # the broker is on its way up
            return None
        finally:
            await consumer.stop()

    assert await eventually(read, timeout=60) == b"kept"


async def test_a_committed_row_survives_the_servers_crash(postgres: Postgres) -> None:
    urls = postgres.create("toolcheck")
    connection = await asyncpg.connect(urls.owner)
    await connection.execute("CREATE TABLE kept (word text)")
    await connection.execute("INSERT INTO kept VALUES ('张*')")
    postgres.kill()
    await connection.close(timeout=1)

    async def starts() -> bool:
        # The old server's children hold its memory for a moment; until they are gone a new one refuses.
        postgres.start()
        try:
            again = await asyncpg.connect(urls.owner, timeout=2)
        except (OSError, asyncpg.PostgresError):
            return False
        assert await again.fetchval("SELECT word FROM kept") == "张*"
        await again.close()
        return True

    await eventually(starts, timeout=30)


async def test_roles_cannot_do_each_others_work(postgres: Postgres) -> None:
    urls, others = postgres.create("toolcheck"), postgres.create("otherscheck")
    api = await asyncpg.connect(urls.api)
    try:
        flags = await api.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert flags is not None
        assert not any(flags.values())
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await api.execute("CREATE TABLE mine (id int)")
    finally:
        await api.close()
    strange = others.api.rsplit("/", 1)[1]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(urls.api.rsplit("/", 1)[0] + "/" + strange)


def test_a_wrong_password_does_not_open_the_cluster(postgres: Postgres) -> None:
    url = postgres.create("toolcheck").api.replace(postgres.cluster.password, "guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        elsewhere(_connect(url))


async def _connect(url: str) -> None:
    await (await asyncpg.connect(url)).close()
