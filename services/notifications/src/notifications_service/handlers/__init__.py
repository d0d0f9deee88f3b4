"""Use cases: what happens when something was heard, and when a call has been made."""
