"""The JSON routes of reporting."""
