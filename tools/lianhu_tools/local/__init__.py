"""The local system: a supervisor that keeps its processes up, the gateway, and the commands that start and stop it."""
