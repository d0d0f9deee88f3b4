"""`python -m lianhu_tools.hygiene secrets|licences`: no key lies in the sources, and all that is used is free."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from lianhu_tools.topology import clone

# What looks like a secret and is none: passwords that say so, variables, the letters of codes, a trace id, the names of
# a cluster's secrets.
# One line more: `# pragma: allowlist secret` behind it.
KNOWN = (
    r"(postgresql|mysql)://[^/@]*:(secret|hunter2|change-me|of-the-file|[$<{][^@]*)@",
    r"23456789BCDFGHJKMNPQRSTVWXYZ",
    r"0af7651916cd43dd8448eb211c80319c",
    r"secretName: \W?[a-z-]+",
)
# SPDX ids and the names that older packages give; the last two by file or library, not of what uses them.
FREE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense",
    "Zlib", "MPL-2.0", "LGPL",
}  # fmt: skip
# Offered under any of several licences: the one that is taken.
_CHOSEN = {"pyphen": "LGPL"}
_OLDER = {
    "apache software license": "Apache-2.0", "apache 2": "Apache-2.0", "apache 2.0": "Apache-2.0",
    "apache": "Apache-2.0", "bsd license": "BSD-3-Clause", "3-clause bsd license": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause", "mit license": "MIT", "isc license (iscl)": "ISC", "isc license": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL", "python software foundation license": "PSF-2.0",
}  # fmt: skip


# Pinned files of others: hashes, and programs whose checksums are kept.
NOT_OURS = r"requirements\.lock|\.min\.js$|vendored\.json"


def found_secrets(root: Path) -> list[str]:
    """What detect-secrets finds in the files under version control, as `file:line kind`."""
    program = Path(sys.executable).parent / "detect-secrets"
    command = [
        str(program),
        "scan",
        "--exclude-files",
        NOT_OURS,
        "--exclude-lines",
        "|".join(KNOWN),
    ]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    results = json.loads(said)["results"]
    return [f"{file}:{hit['line_number']} {hit['type']}" for file, hits in sorted(results.items()) for hit in hits]


def licence(distribution: Distribution) -> list[str]:
    """A distribution's licences as it declares them: by expression, else by classifier, else in words."""
    metadata: Any = distribution.metadata
    if metadata["Name"].lower() in _CHOSEN:
        return [_CHOSEN[metadata["Name"].lower()]]
    expression = metadata.get("License-Expression")
    if expression:
        return re.findall(r"[A-Za-z0-9.+-]+", re.sub(r"\b(AND|OR|WITH)\b", " ", expression))
    given = [each for each in metadata.get_all("Classifier") or [] if each.startswith("License ::")]
    named = [each.rsplit("::", 1)[1].strip() for each in given if not each.endswith(("OSI Approved", "DFSG approved"))]
    words = (metadata.get("License") or "").splitlines()
    return [_OLDER.get(name.lower(), name) for name in named or words[:1]]


def not_free(installed: Iterable[Distribution]) -> list[str]:
    """Distributions with no licence, or with one that is not in the list."""
    faults = []
    for each in installed:
        name = each.metadata["Name"]
        licences = licence(each)
        unknown = sorted(set(licences) - FREE)
        if unknown or not licences:
            faults.append(f"{name}: {', '.join(unknown) or 'no licence told'}")
    return sorted(faults)


def locked(root: Path) -> list[Distribution]:
    """The installed distributions that the lock names: an environment may hold others of an earlier lock."""
    lines = (root / "requirements.lock").read_text().splitlines()
    names = {line.split("==")[0].lower() for line in lines if re.match(r"[A-Za-z0-9]", line)}
    return [each for each in distributions() if re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower() in names]


def main(name: str) -> int:
    """One line a fault, or one that says that there is none; the exit code."""
    if name == "secrets":
        faults, good = found_secrets(clone()), "no secret in the sources"
    else:
        every = locked(clone())
        faults, good = not_free(every), f"{len(every)} distributions, all free"
    print("\n".join(faults) or good)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
