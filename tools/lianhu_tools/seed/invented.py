"""Names, phones, addresses and words that belong to nobody, and that a search finds wherever they turn up.

Every name holds NAME_MARK, every phone begins with PHONE_MARK, every address holds ADDRESS_MARK, every free text
TEXT_MARK. Mobile numbers that begin with 154 are not assigned in China, so no invented number rings anywhere.
"""

NAME_MARK = "演示"
PHONE_MARK = "1540000"
ADDRESS_MARK = "演示巷"
TEXT_MARK = "原话："

_SURNAMES = (
    "欧阳", "赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫", "蒋", "沈", "韩", "杨", "朱",
    "秦", "尤", "许", "何", "吕", "施", "张", "孔", "曹", "严", "华", "金", "魏", "陶", "姜", "戚", "谢", "邹",
    "喻", "柏", "水", "窦", "章", "云", "苏", "潘", "葛", "奚", "范", "彭", "郎", "鲁", "韦", "昌", "马",
)  # fmt: skip
_DIGITS = "〇一二三四五六七八九"


def name(number: int) -> str:
    """The name of the n-th invented person (n from 0), as 欧阳演示〇〇〇."""
    surname = _SURNAMES[number % len(_SURNAMES)]
    return f"{surname}{NAME_MARK}{''.join(_DIGITS[int(digit)] for digit in f'{number:03}')}"


def phone(number: int) -> str:
    """The phone of the n-th invented person: 11 digits; ValueError beyond ten thousand."""
    if not 0 <= number < 10_000:
        raise ValueError(f"{number} is no number of an invented person: 0 to 9999")
    return f"{PHONE_MARK}{number:04}"


def address(number: int) -> str:
    """The address of the n-th invented household."""
    return f"{ADDRESS_MARK}{number}号"


def words(text: str) -> str:
    """A resident's own words, marked as such."""
    return f"{TEXT_MARK}{text}"
