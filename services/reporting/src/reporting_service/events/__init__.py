"""What reporting reads of the events of the other services: trimmed copies, held against the schemas by tests."""
