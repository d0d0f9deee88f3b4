"""From Kafka to the database: offsets are committed only after the effects are."""

import asyncio
import time
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from lianhu_kit import metrics
from lianhu_kit.envelope import Record
from lianhu_kit.inbound import Inbound
from lianhu_kit.kafka import end_consumer, new_consumer
from lianhu_kit.logs import logger
from lianhu_kit.pausing import Backoff
from lianhu_kit.resuming import resume
from lianhu_kit.settings import ServiceSettings

STUCK_SECONDS = 60.0
RETRY_SECONDS = 2.0
WATCH_SECONDS = 10.0
JOIN_SECONDS = 60.0
# Others wait for it, at most as long as a client waits for an answer (8 s): it and a heartbeat have to fit in.
HAND_OVER_SECONDS = 5.0
TELL_SECONDS = 5.0
_log = logger(__name__)


class Stuck(Exception):
    """There is lag and nothing moved for a minute: the process leaves, its supervisor starts it again."""


class BrokerSilent(Exception):
    """The client got no answer in time, or broke: it is dropped and a new one connects."""


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads topics as one member of a group and hands batches to `inbound`."""

    def __init__(
        self,
        settings: ServiceSettings,
        inbound: Inbound,
        *,
        topics: Mapping[str, bool],
        group: str,
        batch: int = 100,
    ) -> None:
        self._settings = settings
        self._inbound = inbound
        self._topics = list(topics)
        self._group = group
        self._batch = batch
        self._client: AIOKafkaConsumer | None = None
        self._busy = asyncio.Lock()
        self._moved = time.monotonic()
        self._reached: dict[TopicPartition, float] = {}  # everything older than this is read, on the clock's epoch
        self._began = time.time()
        self.connected = False
        self._placed = False
        self._handing_over = False
        self._stop = asyncio.Event()
        self._resumed: set[TopicPartition] = set()  # those that are read from where the database is
        self._untold: dict[TopicPartition, int] = {}  # offsets that the group has not heard of
        self._telling: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Consumes until told to stop; backs off while the broker or the database is away.

        However it ends, it leaves the group, so that others take its partitions over at once.
        """
        self._stop = stop
        try:
            await self._consume(stop)
        finally:
            await self._drop()

    async def _consume(self, stop: asyncio.Event) -> None:
        backoff = Backoff(first=0.2, longest=5)
        checked = retried = time.monotonic()
        while not stop.is_set():
            try:
                client = await self._connected()
                await self._poll(client)
                if time.monotonic() > retried + RETRY_SECONDS:
                    retried = time.monotonic()
                    await self._inbound.retry_waiting()
                if time.monotonic() > checked + WATCH_SECONDS:
                    checked = time.monotonic()
                    await self._watch(client)
                backoff.reset()
            except Stuck:
                raise
            except Exception as error:
                if isinstance(error, (KafkaError, BrokerSilent)):
                    await self._drop()
                _log.warning("consumer waits", error=type(error).__name__, failures=backoff.failures)
                await backoff.pause(stop)
                self._moved = time.monotonic()

    async def _poll(self, client: AIOKafkaConsumer) -> None:
        if self._telling is not None and self._telling.done():
            self._telling.result()  # what nobody foresaw is raised here
        # Never cancelled: a cancelled getmany loses what it had.
        try:
            fetched = await client.getmany(timeout_ms=300, max_records=self._batch)
        except KafkaError:
            raise
        except Exception as error:  # whatever broke in the client would break again
            raise BrokerSilent(f"the client failed: {type(error).__name__}") from error
        async with self._busy:
            for part in [fetched] if self._inbound.whole else [{p: records} for p, records in fetched.items()]:
                if self._handing_over or self._stop.is_set():
                    return  # whoever has them next reads the rest
                # Not what was taken away meanwhile: its new owner reads the same records. Nor what was given to us just
                # now: it is read again, from where the database is.
                held = {p: rs for p, rs in part.items() if p in client.assignment() and p in self._resumed}
                if not held:
                    continue
                batch = [
                    Record(r.topic, r.partition, r.offset, r.key, r.value, r.headers)
                    for records in held.values()
                    for r in records
                ]
                try:
                    await self._inbound.receive(batch)
                except Exception:
                    self._rewind(client, {p: rs[0].offset for p, rs in fetched.items()})
                    raise
                self._moved = time.monotonic()
                self._reached |= {p: rs[-1].timestamp / 1000 for p, rs in held.items()}
                self._tell(client, {p: rs[-1].offset + 1 for p, rs in held.items()})
            await self._resume(client)

    async def _resume(self, client: AIOKafkaConsumer) -> None:
        resumed = self._resumed  # a rebalance meanwhile begins another set
        if fresh := client.assignment() - resumed:
            kept = await self._inbound.offsets()
            try:
                await resume(client, fresh, kept)
            except TimeoutError:
                raise BrokerSilent("the broker says no offsets") from None
            resumed |= fresh

    def _rewind(self, client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        """Goes back to the last batch: what was applied already is then dropped as a duplicate."""
        for partition, offset in offsets.items():
            try:
                client.seek(partition, offset)
            except IllegalStateError:
                continue  # no longer ours

    def _tell(self, client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        """Tells the group how far we are, for those who watch it: the next batch does not wait for its answer."""
        self._untold |= offsets
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell_all(client))

    async def _tell_all(self, client: AIOKafkaConsumer) -> None:
        while self._untold:
            offsets, self._untold = self._untold, {}
            if held := {p: offset for p, offset in offsets.items() if p in client.assignment()}:
                await self._commit(client, held)

    async def _commit(self, client: AIOKafkaConsumer, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            await asyncio.wait_for(client.commit(dict(offsets)), TELL_SECONDS)
        except (IllegalStateError, CommitFailedError, TimeoutError, KafkaError) as error:
            # Not lost: whoever reads it again finds it applied.
            _log.info("offset not committed", error=type(error).__name__, topics=sorted({p.topic for p in offsets}))

    async def _connected(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = new_consumer(self._settings, group=self._group, client=f"{self._settings.service}-consumer")
            client.subscribe(self._topics, listener=self)
            try:
                await asyncio.wait_for(client.start(), 15)
            except BaseException:
                await end_consumer(client, 3)
                raise
            self._client = client
            self.connected = True
        return self._client

    async def _drop(self) -> None:
        client, self._client = self._client, None
        telling, self._telling = self._telling, None
        if telling is not None:
            await asyncio.wait([telling], timeout=1)  # not told, nothing is lost
            telling.cancel()
        self._untold = {}
        self.connected = self._placed = self._handing_over = False
        self._resumed = set()
        if client is not None:
            await end_consumer(client)

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Lets the batch in hand end before another member takes the partitions over."""
        self._placed = False
        self._handing_over = True
        try:
            await asyncio.wait_for(self._busy.acquire(), HAND_OVER_SECONDS)
            self._busy.release()
        except TimeoutError:
            _log.warning("batch outlived its partitions; its duplicates will be dropped")

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Begins to count progress anew. A member may be given nothing, where there are more than partitions."""
        self._placed = True
        self._handing_over = False
        self._resumed = set()
        self._moved = time.monotonic()
        self._reached, self._began = {}, time.time()

    async def _watch(self, client: AIOKafkaConsumer) -> None:
        """Measures the lag; leaves the process when there is some and nothing moves."""
        partitions = list(client.assignment())
        if not partitions:
            if not self._placed and time.monotonic() > self._moved + JOIN_SECONDS:
                raise BrokerSilent("the group gives no place")
            self._show({}, {})
            return
        lag: dict[str, int] = {}
        since: dict[str, float] = {}
        try:
            async with asyncio.timeout(8):
                ends = await client.end_offsets(partitions)
                for partition in partitions:
                    unread = max(0, ends[partition] - await client.position(partition))
                    lag[partition.topic] = lag.get(partition.topic, 0) + unread
                    if not unread:
                        self._reached[partition] = time.time()
                    else:
                        reached = self._reached.get(partition, self._began)
                        since[partition.topic] = min(reached, since.get(partition.topic, reached))
        except TimeoutError:
            raise BrokerSilent("the broker says no offsets") from None
        except IllegalStateError:
            return  # partitions were taken away meanwhile
        self._show(lag, since)
        if not any(lag.values()):
            self._moved = time.monotonic()
        elif time.monotonic() > self._moved + STUCK_SECONDS:
            raise Stuck(f"{sum(lag.values())} events wait and nothing moved for {STUCK_SECONDS:.0f} s")

    def _show(self, lag: Mapping[str, int], since: Mapping[str, float]) -> None:
        """Every topic's lag, 0 too: whoever lost its partitions must not go on showing their lag."""
        clock = time.time()
        for topic in self._topics:
            metrics.LAG.labels(self._settings.service, topic).set(lag.get(topic, 0))
            metrics.LAG_SECONDS.labels(self._settings.service, topic).set(max(0.0, clock - since.get(topic, clock)))
