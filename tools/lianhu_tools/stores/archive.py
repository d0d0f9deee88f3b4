"""A class archive for the broker: made once, it halves the time and the work of every later start."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from lianhu_tools.processes import end, free_port, listens, spawn, wait_for
from lianhu_tools.stores.kafka import Broker

SECONDS = 60.0


def ensure_archive(jars: Path) -> bool:
    """Starts and ends a broker that notes down its classes, where no archive is there yet; whether there is one.

    Going without is no fault: the archive only saves time, and Java passes over one that does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="lianhu-archive-") as folder:
        broker = Broker(jars, Path(folder), free_port(), free_port())
        if broker.archive.exists():
            return True
        fresh = Path(folder) / "fresh.jsa"
        broker.prepare()
        process = spawn([*broker.command(record=fresh)], directory=broker.directory, output=subprocess.DEVNULL)
        wait_for(lambda: listens(broker.port) or process.poll() is not None, seconds=SECONDS)
        end(process, patience=SECONDS)  # the archive is written at the end
        if fresh.exists():
            shutil.move(fresh, broker.archive)
        return broker.archive.exists()
