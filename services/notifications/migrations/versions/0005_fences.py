"""Keys whose topic is ahead of a restored database can be fenced."""

from lianhu_kit.fencing import create_fences

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of fenced keys, and the trigger, still off."""
    create_fences("notifications")
