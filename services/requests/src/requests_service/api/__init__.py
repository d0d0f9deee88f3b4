"""The door for JSON calls. Bodies are checked here, rules live in the domain."""
