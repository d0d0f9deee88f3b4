"""Where a request stands, in words for whoever placed it."""

from requests_service.domain.statuses import Status

ZH = {
    Status.SUBMITTED: "已点单，村里很快会看。",
    Status.AWAITING_RESIDENT: "还缺材料，请补充后告诉村里。",
    Status.ACCEPTED: "已受理，正在安排。",
    Status.DISPATCHED: "已派单，正在找人上门。",
    Status.CLAIMED: "已有人领单，会联系您。",
    Status.IN_PROGRESS: "正在办理。",
    Status.REFERRED: "已转给有关部门，结果由村里告诉您。",
    Status.WITH_TOWN: "已上报镇街处理。",
    Status.COMPLETED: "已办完，请确认是否解决。",
    Status.CLOSED_CONFIRMED: "已办结，谢谢您的评价。",
    Status.CLOSED_UNCONFIRMED: "已办结，没有联系上您确认；30 天内仍可确认或重办。",
    Status.REJECTED: "不予受理，理由已告知。",
    Status.MERGED: "与另一件相同，已合并办理。",
    Status.WITHDRAWN: "已撤单。",
    Status.TRANSFERRED: "已转到对应的村。",
}

EN = {
    Status.SUBMITTED: "Placed; the village will look at it soon.",
    Status.AWAITING_RESIDENT: "Something is missing; please bring it to the village.",
    Status.ACCEPTED: "Taken on; it is being arranged.",
    Status.DISPATCHED: "Sent out; somebody is being found.",
    Status.CLAIMED: "Somebody has taken it and will contact you.",
    Status.IN_PROGRESS: "Being done.",
    Status.REFERRED: "Handed to an agency; the village will tell you the result.",
    Status.WITH_TOWN: "With the town.",
    Status.COMPLETED: "Done; please say whether it is solved.",
    Status.CLOSED_CONFIRMED: "Closed; thank you for your grade.",
    Status.CLOSED_UNCONFIRMED: "Closed without your word; you can still confirm or reopen it for 30 days.",
    Status.REJECTED: "Not taken on; you were told why.",
    Status.MERGED: "The same matter as another; both are handled together.",
    Status.WITHDRAWN: "Taken back.",
    Status.TRANSFERRED: "Passed to the right village.",
}
