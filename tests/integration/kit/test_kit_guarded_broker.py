"""A broker that is reached by TLS alone and asks for user and password, as managed ones do."""

import asyncio
import datetime
import ipaddress
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._scram import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integration.kit.station import Settings
from lianhu_kit.kafka import access, end_consumer, end_producer, new_consumer, new_producer
from lianhu_tools import processes
from lianhu_tools.stores import jars, topics
from lianhu_tools.stores.kafka import Broker
from support.stores import ROOT, settled, temporary_folder

USER, PASSWORD = "lianhu", "open-sesame"  # pragma: allowlist secret
LOGIN = "org.apache.kafka.common.security"
GUARDED = f"""
listener.security.protocol.map=CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.clients.plain.sasl.jaas.config={LOGIN}.plain.PlainLoginModule required username="{USER}" \\
  password="{PASSWORD}" user_{USER}="{PASSWORD}";
listener.name.clients.scram-sha-512.sasl.jaas.config={LOGIN}.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location=broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=authority.pem
"""
TOPIC = topics.Topic("guarded", "kit", 1, "delete", -1, None, "key", ("kit",), ("kit",), False)


def certify(folder: Path) -> None:
    """A certificate for the loopback that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker.example")])
    began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    signed = certificate.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (folder / "authority.pem").write_bytes(signed)
    (folder / "broker.pem").write_bytes(secret + signed)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Settings]:
    """Settings that such a broker lets in; by PLAIN, as its SCRAM user is made with them."""
    folder = temporary_folder() / "guarded"
    folder.mkdir()
    certify(folder)
    log = folder / "broker.log"
    brokers: list[Broker] = []

    def start() -> "subprocess.Popen[bytes]":
        kept = jars.ensure_jars(ROOT / ".lianhu" / "kafka" / "jars")
        broker = Broker(kept, folder, processes.free_port(), processes.free_port(), heap_megabytes=256)
        brokers.append(broker)
        broker.prepare()
        with (folder / "server.properties").open("a") as properties:
            properties.write(GUARDED)
        with log.open("ab") as output:
            return processes.spawn(broker.command(), directory=folder, output=output, end_with=signal.SIGKILL)

    process = settled(start, lambda: brokers[-1].port, log)
    try:
        settings = Settings.model_validate(
            {
                "database_url": "postgresql://nobody@127.0.0.1/kit",
                "auth_jwks": "/keys.json",
                "kafka_bootstrap": brokers[-1].bootstrap,
                "kafka_security": "sasl_ssl",
                "kafka_mechanism": "plain",
                "kafka_username": USER,
                "kafka_password": PASSWORD,
                "kafka_authorities": str(folder / "authority.pem"),
            }
        )
        made = topics.create(settings.kafka_bootstrap, [TOPIC], seconds=60, options=access(settings))
        assert asyncio.run(made) == [TOPIC.name]
        outsider = AdminClient(
            {
                "bootstrap.servers": settings.kafka_bootstrap,
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "PLAIN",
                "sasl.username": USER,
                "sasl.password": PASSWORD,
                "ssl.ca.location": settings.kafka_authorities,
            }
        )
        way = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted = UserScramCredentialUpsertion(USER, way, PASSWORD.encode())
        for done in outsider.alter_user_scram_credentials([wanted]).values():
            done.result(timeout=30)
        yield settings
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("mechanism", ["plain", "scram-sha-512"])
async def test_who_knows_the_password_sends_and_reads(guarded: Settings, mechanism: str) -> None:
    settings = guarded.model_copy(update={"kafka_mechanism": mechanism})
    producer = new_producer(settings, "guarded")
    await producer.start()
    try:
        sent = await producer.send_and_wait(TOPIC.name, mechanism.encode(), key=b"key")
    finally:
        await end_producer(producer)
    consumer = new_consumer(settings, group=None, client="guarded")
    await consumer.start()
    try:
        place = TopicPartition(TOPIC.name, sent.partition)
        consumer.assign([place])
        consumer.seek(place, sent.offset)
        read = await asyncio.wait_for(consumer.getone(), 20)
        assert read.value == mechanism.encode()
    finally:
        await end_consumer(consumer)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kafka_password": "wrong"},  # pragma: allowlist secret
        {"kafka_mechanism": "scram-sha-512", "kafka_username": "somebody"},
        {"kafka_authorities": ""},
        {"kafka_security": "plaintext"},
    ],
    ids=["password", "user", "authorities", "unencrypted"],
)
async def test_who_does_not_is_kept_out(guarded: Settings, wrong: dict[str, str]) -> None:
    given = {name: getattr(guarded, name) for name in type(guarded).model_fields}
    settings = Settings.model_validate({**given, **wrong})
    producer = new_producer(settings, "guarded")
    try:
        with pytest.raises((KafkaError, TimeoutError)):
            await asyncio.wait_for(producer.start(), 10)
    finally:
        await end_producer(producer)
