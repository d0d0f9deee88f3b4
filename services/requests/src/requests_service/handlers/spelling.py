"""The Latin spelling of Chinese names, by which people with another keyboard find them."""


def found_by(name: str) -> str:
    """The pinyin of a name and its initials, as `dui'an` villages are typed: `duiancun dac`."""
    # Some 50 MB of readings, for processes that write units: most never do.
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    whole = "".join(lazy_pinyin(name))
    initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
    return f"{whole} {initials}".lower()
