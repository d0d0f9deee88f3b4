"""`python -m <service> api | worker | migrate | refill TOPIC | …`: one entry for every process of a service."""

import asyncio
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from lianhu_kit import tracing
from lianhu_kit.impatience import ImpatientProtocol
from lianhu_kit.leaving import CALLS_SECONDS, DrainingServer
from lianhu_kit.logs import configure
from lianhu_kit.refill import NotRefilled, refill
from lianhu_kit.rereading import command as replaying
from lianhu_kit.settings import AnySettings, load
from lianhu_kit.upgrading import migrate
from lianhu_kit.worker import Work, run_worker

Command = Callable[[AnySettings, Sequence[str]], int]


def main(
    settings_class: type[AnySettings],
    *,
    api: Callable[[AnySettings], FastAPI],
    work: Callable[[AnySettings], Work],
    migrations: Path,
    commands: Mapping[str, Command[AnySettings]] | None = None,
) -> None:
    """Reads the settings and does what the first argument says; `commands` are further ones of the service."""
    others = {"replay": replaying(work), **(commands or {})}
    name, *arguments = sys.argv[1:] or [""]
    if name not in ("api", "worker", "migrate", "refill", *others):
        print(
            f"Say what to run: {', '.join(['api', 'worker', 'migrate', 'refill TOPIC', *others])}",
            file=sys.stderr,
        )
        sys.exit(2)
    settings = load(settings_class, broker=name not in ("api", "migrate"))
    configure(settings.service, settings.log_level)
    tracing.begin(settings.service, name, settings.otlp_endpoint)
    if name == "api":
        _serve(settings, api(settings))
    elif name == "worker":
        run_worker(settings, work(settings))
    elif name == "migrate":
        migrate(migrations, settings.database_url)
    elif name == "refill":
        if len(arguments) != 1:
            print("Name the topic: refill lianhu.requests.v1", file=sys.stderr)
            sys.exit(2)
        try:
            sent = asyncio.run(refill(settings, arguments[0], lambda count: print(f"… {count} events", flush=True)))
        except NotRefilled as error:
            print(error, file=sys.stderr)
            sys.exit(1)
        print(f"{arguments[0]}: {sent} kept events published again")
    else:
        sys.exit(others[name](settings, arguments))


def _serve(settings: AnySettings, app: FastAPI) -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.floor(CALLS_SECONDS - settings.drain_seconds),
        timeout_keep_alive=30,
        loop="uvloop",
        http=ImpatientProtocol,
        ws="none",
    )
    server = DrainingServer(config, app.state.leaving, settings.drain_seconds)
    try:
        server.run()
    except KeyboardInterrupt:
        return  # the server raises it once more when it has ended
    if not server.started:
        sys.exit(STARTUP_FAILURE)
