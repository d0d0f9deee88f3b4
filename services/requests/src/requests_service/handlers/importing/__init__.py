"""Lists come in: read, held against the directory, applied in one transaction, taken back."""
