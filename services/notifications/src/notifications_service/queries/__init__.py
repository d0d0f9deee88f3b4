"""Reads: for the handlers what is known of a request, for the doors what people may see."""
