"""What a request about staff or volunteers is about; such a one is unseen by the village."""

from lianhu_kit.migrations import PERSON, SCOPE, run

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Whoever stands in a village's scope, or in one below it, sees none but their own; the town and those above it see all.
# The two who look past it say so: a slip with its tracking code, and the counts that reconciliation compares.
UNSEEN = f"""
ALTER TABLE requests ADD COLUMN about text;
CREATE POLICY unseen_by_village ON requests AS RESTRICTIVE TO requests_api USING (
    about IS NULL OR length({SCOPE}) < 12 OR current_setting('lianhu.unseen', true) = 'shown'
    OR resident = {PERSON} OR reporter = {PERSON}
) WITH CHECK (true);
"""


def upgrade() -> None:
    """The column, null for every request there is, and the policy beside the range of the scope."""
    run(UNSEEN)
