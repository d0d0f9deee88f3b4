"""The Latin spelling of Chinese names, by which people with another keyboard find them."""

from pypinyin import Style, lazy_pinyin


def found_by(name: str) -> str:
    """The pinyin of a name and its initials, as `dui'an` villages are typed: `duiancun dac`."""
    whole = "".join(lazy_pinyin(name))
    initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
    return f"{whole} {initials}".lower()
