"""One look for four services: the page, its parts, its words, and who is signed in."""
