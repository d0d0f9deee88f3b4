"""How people write what they look for: blanks and case do not count."""

LONGEST = 40


def plain(words: str) -> str:
    """Words as they are compared: lower case, without blanks, not too long; signs of LIKE are taken as they stand."""
    bare = "".join(words.lower().split())[:LONGEST]
    return bare.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
