"""${message}"""

from lianhu_kit.migrations import protect, run

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """What this revision brings."""
