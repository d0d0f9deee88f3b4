"""Story 12's plan: 300 further orders over all villages, each with the ending that it comes to. The same every time."""

import random
from collections import Counter
from dataclasses import dataclass, replace

from lianhu_tools.seed import catalogue
from lianhu_tools.seed.places import ANDONG, DUIAN, JIANGWAN, MANDA, SHIZHU, VILLAGES, XIJING, Village

ORDERS = 300
_SEED = 12
SHARES = {DUIAN: 70, ANDONG: 50, JIANGWAN: 40, XIJING: 60, SHIZHU: 50, MANDA: 30}

# How many come to which ending. `silent` is 对岸村's alone: only there something closes so soon.
ENDINGS = {
    "confirmed": 92,
    "called_back": 24,
    "answered": 24,
    "staff": 16,
    "completed": 14,
    "rejected": 14,
    "withdrawn": 14,
    "merged": 12,
    "answered_open": 8,
    "reworked": 8,
    "referred": 8,
    "agency": 8,
    "released": 8,
    "asked": 6,
    "replied": 6,
    "partly": 6,
    "submitted": 5,
    "returned": 5,
    "bounced": 4,
    "accepted": 4,
    "offered": 4,
    "claimed": 4,
    "in_progress": 3,
    "silent": 3,
}
# What a merged order can follow: something that is still going to be told about, and stays so.
LEADERS = ("completed", "submitted", "accepted", "offered", "claimed", "in_progress", "referred", "asked")


@dataclass(frozen=True)
class Wish:
    """A kind of thing that people ask: the service, their words, the clerk's summary, answers that it needs."""

    service: str
    text: str
    summary: str
    answers: tuple[tuple[str, str], ...] = ()
    skill: str | None = None


BY_VOLUNTEERS = (
    Wish("neighbourly-help", "柜子太重，一个人挪不动。", "帮忙搬一个柜子"),
    Wish("housekeeping", "手腕伤了，家里没人打扫。", "手伤，打扫一次屋子"),
    Wish("home-repair", "卧室的灯一闪一闪的。", "卧室灯接触不良", (("where", "light"),)),
    Wish("haircut", "老伴卧床，头发长了。", "为卧床老人理发"),
    Wish("meals", "这几天下不了床，想有人送饭。", "卧床期间送三天午饭"),
    Wish("shopping", "帮我带一袋米。", "代买一袋米"),
    Wish("phone-help", "想在手机上挂个号。", "教老人手机挂号"),
    Wish("home-visit", "老邻居一个人住，想有人去看看。", "看望独居老人"),
    Wish("appliance-repair", "电饭煲跳闸。", "电饭煲跳闸，需检修", (("appliance", "电饭煲"),), "electrical"),
    Wish("legal-advice", "租地的合同看不懂。", "土地租赁合同咨询", (), "legal"),
    Wish("medical-care", "想量量血压。", "上门量血压", (), "medical"),
)
BY_STAFF = (
    Wish("jobs", "想找份离家近的活。", "登记求职意向，推荐岗位"),
    Wish("public-security", "夜里总有陌生人敲门。", "查看夜间敲门情况，装门铃灯"),
    Wish("medical-insurance", "今年的医保还没交。", "代办医保参保缴费", (("matter", "join"),)),
    Wish("certificates", "孩子上学要居住证明。", "代办居住证明"),
)
FOR_AGENCIES = (
    Wish("parking", "路口天天有人乱停。", "路口违停"),
    Wish("environment", "工地的灰飘进家里。", "工地扬尘"),
    Wish("public-works", "健身器材断了一根。", "健身器材损坏"),
)
QUESTIONS = (
    Wish("consultation", "高龄津贴从多少岁开始领？", "询问高龄津贴"),
    Wish("consultation", "合作医疗在外地怎么报？", "询问异地就医报销"),
    Wish("consultation", "宅基地确权要带什么？", "询问宅基地确权材料"),
)
LAMPS = (Wish(catalogue.QUICK, "门灯坏了。", "门灯不亮"),)
# These are ordered by households that a linking household looks after.
BY_LINKING = ("called_back", "completed", "partly", "replied")  # and two in three of `confirmed`

_WISHES = {
    "answered": QUESTIONS,
    "answered_open": QUESTIONS,
    "staff": BY_STAFF,
    "referred": FOR_AGENCIES,
    "agency": FOR_AGENCIES,
    "bounced": FOR_AGENCIES,
    "silent": LAMPS,
}


@dataclass(frozen=True)
class Part:
    """One order of the crowd. `number` is its place in the plan; `follows` that of the order it is merged into."""

    number: int
    village: Village
    ending: str
    wish: Wish
    grid: str
    resident: int
    grade: int
    at_home: bool = False  # of a household that a linking household looks after
    follows: int | None = None


def plan() -> list[Part]:
    """The 300 orders, in the order in which they are placed."""
    choose = random.Random(_SEED)
    endings = [ending for ending, number in ENDINGS.items() for _ in range(number) if ending != "silent"]
    choose.shuffle(endings)
    villages = [village for village in VILLAGES for _ in range(SHARES[village])]
    choose.shuffle(villages)
    for _ in range(ENDINGS["silent"]):
        villages.remove(DUIAN)
    pairs = [*zip(villages, endings, strict=True), *((DUIAN, "silent") for _ in range(ENDINGS["silent"]))]
    parts = [_part(choose, number, village, ending) for number, (village, ending) in enumerate(pairs)]
    return [_following(part, parts) if part.ending == "merged" else part for part in parts]


def _part(choose: random.Random, number: int, village: Village, ending: str) -> Part:
    wish = choose.choice(_WISHES.get(ending, BY_VOLUNTEERS))
    return Part(
        number,
        village,
        ending,
        wish,
        choose.choice(village.grids),
        choose.randrange(6, 12),  # the first six are the stories'
        choose.choice((5, 5, 5, 4, 4, 3)),
        wish.skill is None and (ending in BY_LINKING or (ending == "confirmed" and number % 3 > 0)),
    )


def _following(part: Part, parts: list[Part]) -> Part:
    """A merged order asks the same as the one it follows, in the same grid."""
    leader = next(one for one in parts if one.village == part.village and one.ending in LEADERS)
    return replace(part, wish=leader.wish, grid=leader.grid, follows=leader.number)


def shares(parts: list[Part]) -> dict[str, int]:
    """How many orders each village has."""
    return dict(Counter(part.village.name for part in parts))
