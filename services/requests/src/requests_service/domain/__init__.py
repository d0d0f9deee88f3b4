"""Rules of requests as pure functions over values: standard library only, no I/O, no clock, no randomness."""
