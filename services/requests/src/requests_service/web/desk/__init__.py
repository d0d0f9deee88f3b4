"""The desk of a village, and of the town above it."""
