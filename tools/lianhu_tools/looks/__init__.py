"""Looks at the system that is up: topics, lag, parked events, logs, one request's journey."""
