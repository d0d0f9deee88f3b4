"""The `lianhu` command: the local system, the demo and the look-ups."""
