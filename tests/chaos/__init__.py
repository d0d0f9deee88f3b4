"""Orders under faults: clients that record what they were told, faults by name, and a checker of what came of it."""
