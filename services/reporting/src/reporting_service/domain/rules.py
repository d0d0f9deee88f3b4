"""By which rules a generation was counted: sums made by other rules cannot be moved by differences."""

# Raise it when the same events come to count differently: batches then wait until a replay has run.
RULES = 3
# The same days; their sums over months and over all time are still being made from them.
FILLING = 2
# The first release's: days alone.
DAYS_ALONE = 1
