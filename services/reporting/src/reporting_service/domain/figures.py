"""Every figure of a tally row with its formula in words, declared once."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """A name and a formula in one language."""

    name: str
    formula: str


class Figure(NamedTuple):
    """A figure of a row: `field` is its path in the answer, as in `now.open`."""

    field: str
    zh: Words
    en: Words


def _figure(field: str, zh: str, zh_formula: str, en: str, en_formula: str) -> Figure:
    return Figure(field, Words(zh, zh_formula), Words(en, en_formula))


_NOW_ZH = "现在处于此状态的诉求数(按发生统计时:时段结束时全部诉求所处状态)"
_NOW_EN = "requests that stand so now (basis happened: where all requests stood at the span's end)"
_STANDING = {
    "submitted": ("待受理", "to be accepted"),
    "awaiting_resident": ("待补充", "awaiting the resident"),
    "accepted": ("已受理", "accepted"),
    "dispatched": ("已派单", "dispatched"),
    "claimed": ("已领单", "claimed"),
    "in_progress": ("服务中", "in progress"),
    "with_town": ("镇街处理中", "with the town"),
    "completed": ("完成待确认", "completed, to be confirmed"),
    "rejected": ("不予受理", "rejected"),
    "referred": ("已转办", "referred, until the agency's reply"),
    "merged": ("已并单", "merged"),
    "withdrawn": ("已撤单", "withdrawn"),
    "transferred": ("已移交", "transferred"),
    "closed_confirmed": ("已办结(已确认)", "closed, confirmed"),
    "closed_unconfirmed": ("已办结(未确认)", "closed, unconfirmed"),
}
_EVER = {
    "accepted": ("曾受理", "受理、派单、转办、完成中任一", "accepted", "accepted, dispatched, referred or completed"),
    "answered": ("曾直接答复", "直接答复", "answered", "answered at once with a source"),
    "dispatched": ("曾派单", "派单", "dispatched", "dispatched"),
    "claimed": ("曾领单", "全部名额被领", "claimed", "all of its places claimed"),
    "completed": ("曾完成", "报告完成", "completed", "reported done, answered, or replied by the agency"),
    "reopened": ("曾重办", "重办", "reopened", "reopened"),
    "returned": ("曾退单", "网格退回", "returned", "given back by the grid"),
    "released": ("曾交回", "志愿者领单后交回", "released", "given back by a volunteer after the claim"),
    "referred": ("曾转办", "转办", "referred", "handed to an agency"),
    "extended": ("曾延期", "延期", "extended", "given a longer limit"),
    "suspended": ("曾挂起", "挂起", "suspended", "suspended"),
    "escalated": ("曾提级", "告知网格长、镇街或上报", "escalated", "told to leader or town, or reported up"),
    "accepted_dropped": (
        "受理后终止", "受理后并单、撤单或移交且现状如此",
        "accepted, then dropped", "ever accepted and now merged, withdrawn or transferred",
    ),
    "callbacks_due": (
        "应回访", "产生过确认电话任务,或已由回访确认",
        "call backs due", "a call to confirm was due, or one confirmed it",
    ),
    "callbacks_reached": (
        "有效回访", "确认电话接通,或由回访确认", "call backs reached", "such a call reached someone, or confirmed it"
    ),
    "reworked_satisfied": (
        "整改满意", "首评不高于 2,末评不低于 3", "satisfied after rework", "first grade at most 2, last at least 3"
    ),
}  # fmt: skip
_GRADES = {
    "5": ("非常满意", "5 of 5"),
    "4": ("满意", "4 of 5"),
    "3": ("基本满意", "3 of 5"),
    "2": ("不满意", "2 of 5"),
    "1": ("非常不满意", "1 of 5"),
    "resident": ("本人评价", "by the resident"),
    "callback": ("回访评价", "by call back"),
}
_LIMIT_ZH = "原定时限,不计延期和挂起;按发生统计时归入时限当日"
_LIMIT_EN = "the original limit, before extension or suspension; basis happened: on the limit's own day"


def _declare() -> list[Figure]:
    figures = [
        _figure("submitted", "点单", "时段内提交的诉求数", "submitted", "requests submitted in the span"),
        _figure(
            "now.open", "未办结", "八个未办结状态之和;与另七个状态之和等于点单数",
            "open", "the sum of the eight open statuses; with the seven others it makes `submitted`",
        ),
    ]  # fmt: skip
    figures += [_figure(f"now.{status}", zh, _NOW_ZH, en, _NOW_EN) for status, (zh, en) in _STANDING.items()]
    figures += [
        _figure(
            "now.overdue", "超期", "未完成且办理时限已过(含延期后的时限),挂起期间不计;与状态重叠",
            "overdue", "work is owed and the finish limit, as extended, has passed; not while suspended; "
            "overlaps the statuses",
        ),
        _figure(
            "now.suspended", "挂起中", "现在挂起;与状态重叠", "suspended", "suspended now; overlaps the statuses"
        ),
    ]  # fmt: skip
    figures += [
        _figure(
            f"ever.{name}", zh, f"{zh_words}的诉求,每件一次,按发生统计时归入首次之日",
            en, f"requests ever so: {words}; each once, basis happened: on the day of the first time",
        )
        for name, (zh, zh_words, en, words) in _EVER.items()
    ]  # fmt: skip
    figures += [
        _figure(
            "ended", "终止状态", "按发生统计:在时段内进入且仍处于该状态的诉求数",
            "ended", "only with basis happened: requests that came to this end in the span and stand there",
        ),
        _figure(
            "limits.contact_due", "应响应", f"响应时限内已联系,或时限已过的诉求;{_LIMIT_ZH}",
            "contact due", f"requests contacted in time, or whose contact limit passed; {_LIMIT_EN}",
        ),
        _figure(
            "limits.contact_met", "按时响应", "时限前有人工联系(电话、上门、当面、呼叫接通);点击和自动消息不算",
            "contact kept", "someone spoke to the resident before the limit; a click or a message is not contact",
        ),
        _figure(
            "limits.finish_due", "应办结", f"时限内已完成,或时限已过的诉求;{_LIMIT_ZH}",
            "finish due", f"requests completed in time, or whose finish limit passed; {_LIMIT_EN}",
        ),
        _figure(
            "limits.finish_met", "按时完成", "首次完成不晚于原定时限",
            "finish kept", "completed for the first time by the original limit",
        ),
        _figure(
            "limits.finish_longer", "延期或挂起", "应办结中曾延期或挂起的诉求",
            "under a longer limit", "of `finish_due`, those extended or suspended",
        ),
    ]  # fmt: skip
    figures += [
        _figure(f"solved.{word}", zh, formula_zh, en, formula_en)
        for word, zh, formula_zh, en, formula_en in (
            ("yes", "已解决", "最后一次答复为已解决", "solved", "the last answer is yes"),
            ("partly", "部分解决", "最后一次答复为部分解决", "partly solved", "the last answer is partly"),
            ("no", "未解决", "最后一次答复为未解决", "not solved", "the last answer is no"),
            ("unknown", "未知", "曾完成但从未得到答复", "unknown", "completed and never answered"),
        )
    ]
    figures += [
        _figure(
            f"{part}.{grade}", f"{zh_part}:{zh}", f"{zh_part}为此的诉求;首评不被覆盖",
            f"{en_part}: {en}", f"requests whose {en_part} is so; the first is never overwritten",
        )
        for part, zh_part, en_part in (("first_grades", "首评", "first grade"), ("last_grades", "末评", "last grade"))
        for grade, (zh, en) in _GRADES.items()
    ]  # fmt: skip
    figures += [
        _figure(
            "served_person_times", "服务人次", "每件诉求一次,不论几人服务;取服务者所报的最大值",
            "people served", "once per request however many helpers: the largest that any of them told",
        ),
        _figure(
            "volunteer_person_times", "参与人次", "每位完成服务者每轮一次,含受指派的工作人员",
            "helpers taking part", "one for each helper and round completed, ordered staff included",
        ),
        _figure(
            "service_minutes", "服务分钟", "每位服务者所报分钟之和;未报时取签退分钟",
            "service minutes", "the sum of each helper's minutes; those of the check-out where none were told",
        ),
        _figure(
            "served_people", "受益人数", "曾得到服务且身份可辨的不同的人;不可跨行相加",
            "people who benefited", "distinct people served, where identified; rows cannot be added",
        ),
        _figure("matters", "办件", "点单减并单", "matters", "requests less merged"),
        _figure(
            "contact_seconds_p50", "响应用时中位数", "提交到首次人工联系的秒数,误差不超过 5 %;偶数取较低者",
            "median time to contact", "seconds from submission to the first human contact; error at most 5 %",
        ),
        _figure(
            "finish_seconds_p50", "完成用时中位数", "提交到首次完成的秒数,误差不超过 5 %;偶数取较低者",
            "median time to finish", "seconds from submission to the first completion; error at most 5 %",
        ),
    ]  # fmt: skip
    return figures


FIGURES: tuple[Figure, ...] = tuple(_declare())
EVER: tuple[str, ...] = tuple(_EVER)
GRADES: tuple[str, ...] = tuple(_GRADES)
