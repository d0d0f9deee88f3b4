"""The door for pages."""
