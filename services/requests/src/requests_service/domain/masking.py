"""Names and numbers as others may see them: 张*, 138****5678."""

_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "司徒", "夏侯", "慕容", "尉迟", "皇甫", "公孙", "令狐", "东方")


def mask_name(name: str) -> str:
    """The surname (Chinese) or the first letter, and a star; a star alone where there is no name."""
    name = name.strip()
    kept = next((surname for surname in _COMPOUND if name.startswith(surname) and len(name) > len(surname)), name[:1])
    return f"{kept}*"


def mask_phone(phone: str) -> str:
    """The first three and the last four digits of a long number, the last two of a short one."""
    digits = phone.strip()
    if len(digits) >= 11:
        return f"{digits[:3]}{'*' * (len(digits) - 7)}{digits[-4:]}"
    return "*" * max(len(digits) - 2, 2) + digits[-2:]
