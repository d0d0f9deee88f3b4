"""Facts, tallies, timelines and reconciliation, from the events alone."""
