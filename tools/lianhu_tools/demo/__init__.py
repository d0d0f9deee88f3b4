"""Real stories on the system that is up, told as they happen; whatever is told was read back over HTTP."""
