"""Villages that belong to one test alone."""

import secrets


def village(county: str = "") -> str:
    """A fresh 12-digit division code that no other test has; real provinces begin below 66, so none is real.

    With `county` (up to 9 digits) it lies under that code.
    """
    missing = 12 - len(county)
    tail = f"{secrets.randbelow(10**missing):0{missing}d}"
    return county + tail if county else "9" + tail[1:]
