"""Bounds on the logs: the processes write to their files directly, and somebody has to keep these small."""

import os
import shutil
from pathlib import Path

LARGEST = 20 * 1024 * 1024


def bound(folder: Path, largest: int = LARGEST) -> list[str]:
    """Moves what a log holds to `<name>.1` once it is larger than `largest` bytes, and empties the log.

    The writers append, so they go on at the new end. What is written between copy and cut is lost; a log of a
    developer's machine may lose a line. Answers the names of the logs that were cut.
    """
    cut = []
    for log in folder.glob("*.log"):
        if log.stat().st_size > largest:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            os.truncate(log, 0)
            cut.append(log.stem)
    return cut
