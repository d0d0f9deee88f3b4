"""Placing an order as tutorials do it: a SQLModel session, objects added, and the event sent inside the handler."""

import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import orjson
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import DateTime, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bench.floors.tokens import Person


class Service(SQLModel, table=True):
    """What a village offers."""

    code: str = Field(primary_key=True)
    tenant: str = Field(primary_key=True)
    kind: str = "convenience"
    contact_seconds: int = 3600
    finish_seconds: int = 86400


class Order(SQLModel, table=True):
    """An order."""

    __tablename__ = "orders"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    tenant: str = Field(index=True)
    number: str = Field(unique=True)
    tracking_code: str
    version: int = 1
    status: str = Field(default="submitted", index=True)
    service: str
    kind: str
    places: int = 1
    text: str
    channel: str = "desk"
    public: bool = False
    urgent: bool = False
    served_kind: str = "adult"
    reporter: UUID = Field(index=True)
    contact_due: datetime = Field(sa_type=DateTime(timezone=True))
    finish_due: datetime = Field(sa_type=DateTime(timezone=True))
    submitted_at: datetime = Field(sa_type=DateTime(timezone=True))


class Contact(SQLModel, table=True):
    """Whom to call."""

    request_id: UUID = Field(primary_key=True)
    name: str
    phone: str


class Timer(SQLModel, table=True):
    """What falls due."""

    aggregate: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=DateTime(timezone=True))


class Key(SQLModel, table=True):
    """A call that was answered."""

    caller: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body: bytes
    answer: str


class Person_(BaseModel):
    """Whom to call, as the caller says."""

    name: str
    phone: str


class OrderIn(BaseModel):
    """What is asked for."""

    tenant: str
    service: str
    text: str
    contact: Person_


engine = create_async_engine(
    os.environ["BENCH_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=20, max_overflow=0
)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
        await connection.execute(
            text(
                "INSERT INTO service (code, tenant, kind, contact_seconds, finish_seconds) "
                "VALUES ('tap', '', 'convenience', 3600, 86400) ON CONFLICT DO NOTHING"
            )
        )
    app.state.producer = AIOKafkaProducer(bootstrap_servers=os.environ["BENCH_KAFKA"], acks="all")
    await app.state.producer.start()
    yield
    await app.state.producer.stop()


async def _session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session:
        yield session


app = FastAPI(lifespan=_lifespan)


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Ready."""
    return {"status": "ready"}


@app.post("/v1/requests", status_code=201, response_model=Order)
async def place(
    request: Request,
    body: OrderIn,
    person: Person,
    session: Annotated[AsyncSession, Depends(_session)],
    idempotency_key: Annotated[str, Header()],
) -> Any:
    """Places an order."""
    known = (await session.exec(select(Key).where(Key.caller == str(person), Key.key == idempotency_key))).one_or_none()
    if known is not None:
        return orjson.loads(known.answer)
    service = await session.get(Service, (body.service, ""))
    if service is None:
        raise HTTPException(422)
    now = datetime.now(UTC)
    order = Order(
        tenant=body.tenant, number=f"{secrets.randbelow(10**12):012}", tracking_code=secrets.token_hex(3),
        service=body.service, kind=service.kind, text=body.text, reporter=person, submitted_at=now,
        contact_due=now + timedelta(seconds=service.contact_seconds),
        finish_due=now + timedelta(seconds=service.finish_seconds),
    )  # fmt: skip
    session.add(order)
    session.add(Contact(request_id=order.id, name=body.contact.name, phone=body.contact.phone))
    session.add(Timer(aggregate=order.id, kind="contact-near", due_at=order.contact_due))
    session.add(Timer(aggregate=order.id, kind="finish-near", due_at=order.finish_due))
    digest = hashlib.sha256(await request.body()).digest()
    answer = order.model_dump_json()
    session.add(Key(caller=str(person), key=idempotency_key, body=digest, answer=answer))
    await session.commit()
    await session.refresh(order)
    producer: AIOKafkaProducer = app.state.producer
    await producer.send_and_wait("lianhu.requests.v1", value=answer.encode(), key=str(order.id).encode())
    return order


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=False, log_level="warning", loop="uvloop"
    )
