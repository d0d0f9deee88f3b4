"""The JSON routes of dispatch."""
