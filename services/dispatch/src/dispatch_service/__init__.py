"""Assignments: offers in waves, claims, work on site."""
