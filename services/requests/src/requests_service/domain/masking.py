"""Names and numbers as others may see them: 张*, 138****5678."""


def mask_name(name: str) -> str:
    """The first letter and a star; a star twice where there is no name."""
    return f"{name.strip()[:1] or '*'}*"


def mask_phone(phone: str) -> str:
    """The first three and the last four digits of a long number, the last two of a short one."""
    digits = phone.strip()
    if len(digits) >= 11:
        return f"{digits[:3]}{'*' * (len(digits) - 7)}{digits[-4:]}"
    return "*" * max(len(digits) - 2, 2) + digits[-2:]
