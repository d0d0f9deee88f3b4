"""What is published, and this service's own trimmed copies of what it reads."""
