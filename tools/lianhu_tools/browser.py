"""The browser that pages are tried in: the system's Chromium, installed where that is possible."""

import os
import shutil
import subprocess
from functools import cache

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 300
_INSTALL = ("apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-noto-cjk")


@cache
def chromium() -> tuple[str | None, str]:
    """Where Chromium is, and else None and why there is none, with what to do about it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found, ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None, "no Chromium here: install it (apt-get install chromium), or name it `chromium` in PATH"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update", "-q"), _INSTALL):
        try:
            done = subprocess.run(command, capture_output=True, env=environment, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None, f"Chromium could not be installed: {' '.join(command)} took over {SECONDS} s"
        if done.returncode != 0:
            return None, f"Chromium could not be installed: {' '.join(command)} ended with {done.returncode}"
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found, "" if found else "apt-get installed Chromium, and it is not in PATH"
