"""What dispatch publishes, and what it reads of others' events."""
