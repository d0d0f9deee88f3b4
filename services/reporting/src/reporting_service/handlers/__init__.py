"""Use cases: folding batches of events into facts and tallies, and swapping generations."""
