"""Reads the topics again from a moment on, beside the worker: what was applied is dropped, what was missed is applied.

Harmless in any service at any time: its books (`positions`, `inbox`) say of every event whether it was applied.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import REGISTRY

from lianhu_kit.database import Database
from lianhu_kit.envelope import Record
from lianhu_kit.inbound import Inbound
from lianhu_kit.kafka import end_consumer, new_consumer
from lianhu_kit.settings import AnySettings, ServiceSettings
from lianhu_kit.worker import Work

BATCH = 500
STALL_SECONDS = 60.0
ANSWER_SECONDS = 15.0
USAGE = "Say from when: replay from 2026-11-20 (a date, or an RFC 3339 time)"
Report = Callable[[str], None]
Take = Callable[[Sequence[Record]], Awaitable[None]]


class Refused(Exception):
    """The topics cannot be read again from there; the message says why. Nothing is lost by it."""


def moment(given: str, zone: ZoneInfo) -> datetime:
    """The moment that is meant: RFC 3339, or a date, which begins at midnight of the zone. ValueError for others."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{given!r} is no time: say 2026-11-20 or 2026-11-20T08:00:00+08:00") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)


async def reread(settings: ServiceSettings, work: Work, since: datetime, report: Report) -> dict[str, int]:
    """Hands everything published at or after `since` to the service's consumer once more, up to where topics end now.

    Answers the events by what became of them: read, applied, duplicate, waiting, parked, unknown. Refused where the
    moment has not come, or the broker falls silent.
    """
    if since.timestamp() > time.time():
        raise Refused(f"{since.isoformat()} has not come yet: say a moment in the past.")
    database = Database(settings.database_url, application_name=f"{settings.service}-replay", pool_size=2)
    inbound = Inbound(
        settings.service, database, work.topics, work.subscriptions, apply=work.apply, generation=work.generation
    )
    before = _outcomes(settings.service)
    try:
        read = await read_again(settings, list(work.topics), since, inbound.receive, report)
        await inbound.retry_waiting()
    finally:
        await database.close()
    return {"read": read, **(_outcomes(settings.service) - before)}


async def read_again(
    settings: ServiceSettings, topics: Sequence[str], since: datetime, take: Take, report: Report
) -> int:
    """Gives `take` every record of the topics from `since` on, batch by batch, up to where they end now; how many.

    Refused where a topic is not there, or the broker falls silent.
    """
    client = new_consumer(settings, group=None, client=f"{settings.service}-replay")
    try:
        await asyncio.wait_for(client.start(), ANSWER_SECONDS)
        return await _read(client, take, await _place(client, topics, since), report)
    except TimeoutError:
        raise Refused("The broker does not answer: see that it is up, then replay. Nothing is lost.") from None
    finally:
        await end_consumer(client)


async def _place(client: AIOKafkaConsumer, topics: Sequence[str], since: datetime) -> dict[TopicPartition, int]:
    """Sets the client to the first events at or after `since`; where each partition that holds any of them ends."""
    await asyncio.wait_for(client._client.set_topics(topics), ANSWER_SECONDS)
    found = {topic: client.partitions_for_topic(topic) for topic in topics}
    if missing := sorted(topic for topic, numbers in found.items() if not numbers):
        raise Refused(f"The topic {missing[0]} is not there: create it from topics.yaml first.")
    partitions = [TopicPartition(topic, number) for topic, numbers in found.items() for number in sorted(numbers or ())]
    asked = dict.fromkeys(partitions, int(since.timestamp() * 1000))
    begins = await asyncio.wait_for(client.offsets_for_times(asked), ANSWER_SECONDS)
    ends = await asyncio.wait_for(client.end_offsets(partitions), ANSWER_SECONDS)
    wanted = [each for each in partitions if begins[each] is not None and begins[each].offset < ends[each]]
    client.assign(wanted)
    for each in wanted:
        client.seek(each, begins[each].offset)
    return {each: ends[each] for each in wanted}


async def _read(client: AIOKafkaConsumer, take: Take, ends: Mapping[TopicPartition, int], report: Report) -> int:
    read, left, moved, told = 0, set(ends), time.monotonic(), time.monotonic()
    while left:
        fetched = await client.getmany(timeout_ms=500, max_records=BATCH)
        for records in fetched.values():
            await take([Record(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records])
            read += len(records)
        left = {each for each in left if await asyncio.wait_for(client.position(each), ANSWER_SECONDS) < ends[each]}
        if fetched:
            moved = time.monotonic()
        elif time.monotonic() > moved + STALL_SECONDS:
            raise Refused("The broker gives no more events: see that it is up, then replay. Nothing is lost.")
        if time.monotonic() > told + 2:
            told = time.monotonic()
            report(f"… {read} events")
    return read


def _outcomes(service: str) -> Counter[str]:
    """What this process counted so far, by outcome."""
    found: Counter[str] = Counter()
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            if sample.name == "lianhu_events_consumed_total" and sample.labels["service"] == service:
                found[sample.labels["outcome"]] += int(sample.value)
    return found


def command(work: Callable[[AnySettings], Work]) -> Callable[[AnySettings, Sequence[str]], int]:
    """`replay from TIME` of a service: 0 when it was read to the end, 1 where it was refused, 2 for a bad time."""

    def run(settings: AnySettings, arguments: Sequence[str]) -> int:
        if len(arguments) != 2 or arguments[0] != "from":
            print(USAGE, file=sys.stderr)
            return 2
        try:
            since = moment(arguments[1], ZoneInfo(settings.timezone))
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        try:
            done = asyncio.run(reread(settings, work(settings), since, lambda line: print(line, flush=True)))
        except Refused as refused:
            print(refused, file=sys.stderr)
            return 1
        others = ", ".join(f"{count} {outcome}" for outcome, count in sorted(done.items()) if outcome != "read")
        print(f"{done['read']} events since {since.isoformat()} read again: {others or 'none'}")
        return 0

    return run
