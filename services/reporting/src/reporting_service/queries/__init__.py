"""Reads for the doors: each of one generation, in one snapshot."""
