"""Reads, for the doors and the handlers."""
