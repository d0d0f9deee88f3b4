#!/bin/sh
# Finds a Python that Lianhu runs on and hands over to setup.py; uv brings one where the system has none.
set -eu
here=$(dirname "$0")
for candidate in "${PYTHON:-}" python3.12 python3.11 python3 python; do
  [ -n "$candidate" ] || continue
  if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
    exec "$candidate" "$here/setup.py"
  fi
done
if command -v uv >/dev/null 2>&1; then
  exec uv run --no-project --python '>=3.11,<3.13' "$here/setup.py"
fi
echo "Lianhu needs Python 3.11 or 3.12; install one (apt-get install python3 python3-venv) or say PYTHON=/path/to/it." >&2
exit 1
