"""`python -m notifications_service api | worker | migrate | refill TOPIC | replay from TIME | rebuild | texts`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from lianhu_kit.entry import main
from lianhu_kit.rereading import Refused
from notifications_service.app import REVISION, create_app, voice_of, work
from notifications_service.consumer.rebuild import rebuild
from notifications_service.handlers.voice import BadTexts, own_texts
from notifications_service.settings import Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def run_rebuild(settings: Settings, _arguments: Sequence[str]) -> int:
    """Fills an empty database; 0 when it holds all that the topics know, 1 where it was refused."""
    try:
        done = asyncio.run(rebuild(settings, voice_of(settings), REVISION, lambda line: print(line, flush=True)))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    print(
        f"{done.told - done.left} of {done.told} deliveries are back; {done.waiting} events wait, {done.parked} parked"
    )
    print("Not back: languages that people chose, who read what, and who made a call that reached nobody.")
    return 0


def run_texts(settings: Settings, _arguments: Sequence[str]) -> int:
    """Checks the texts of units that the setting names, and says whose they are; 0 where they can be used."""
    found = own_texts(settings.texts)
    for (code, locale), texts in sorted(found.items()):
        print(f"{code} {locale}: {len(texts)} texts of its own")
    print("All of them can be used." if found else "No unit has texts of its own: NOTIFICATIONS_TEXTS names none.")
    return 0


if __name__ == "__main__":
    try:
        main(
            Settings, api=create_app, work=work, migrations=MIGRATIONS,
            commands={"rebuild": run_rebuild, "texts": run_texts},
        )  # fmt: skip
    except BadTexts as error:
        print(error, file=sys.stderr)
        sys.exit(2)
