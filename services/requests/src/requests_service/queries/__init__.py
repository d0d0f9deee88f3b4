"""Reads for the doors, and what handlers look up."""
