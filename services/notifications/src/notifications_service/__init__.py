"""Who hears what, and who has to be called."""
