"""Use cases: what the doors ask for, done on a locked request inside the caller's transaction."""
