# mypy: ignore-errors
"""FastStream as its tutorial has it: one message, one handler, one insert, one acknowledgement.

A program of its own, in a virtual environment of its own: `BENCH_KAFKA`, `BENCH_GROUP`, `BENCH_DATABASE_URL` and
`BENCH_COUNT` say what to read and how much of it; the last line printed is events a second.
"""

import asyncio
import os
import time

import asyncpg
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage
from pydantic import BaseModel, ConfigDict

TOPICS = ("lianhu.requests.v1", "lianhu.dispatch.v1", "lianhu.notifications.v1", "lianhu.directory.v1")
_INSERT = "INSERT INTO bare VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"


class Body(BaseModel):
    """What all events of a request carry."""

    model_config = ConfigDict(extra="allow")
    request_id: str | None = None


class State:
    """What has been seen so far."""

    wanted = int(os.environ["BENCH_COUNT"])
    seen = 0
    began = 0.0
    pool: "asyncpg.Pool[asyncpg.Record]"


broker = KafkaBroker(os.environ["BENCH_KAFKA"])
app = FastStream(broker)


@app.on_startup
async def connect() -> None:
    """Opens the pool before the first message."""
    State.pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], min_size=1, max_size=2)


@broker.subscriber(
    *TOPICS, group_id=os.environ["BENCH_GROUP"], auto_offset_reset="earliest", ack_policy=AckPolicy.REJECT_ON_ERROR
)
async def take_in(body: Body, message: KafkaMessage) -> None:
    """One event."""
    State.began = State.began or time.perf_counter()
    head, raw = message.headers, message.raw_message
    await State.pool.execute(
        _INSERT, head["ce_id"], raw.topic, raw.key.decode(), head["ce_type"], head["ce_tenant"], head["ce_time"],
        body.model_dump_json(),
    )  # fmt: skip
    State.seen += 1
    if State.seen == State.wanted:
        print("rate", State.wanted / (time.perf_counter() - State.began), flush=True)
        app.exit()


if __name__ == "__main__":
    asyncio.run(app.run())
