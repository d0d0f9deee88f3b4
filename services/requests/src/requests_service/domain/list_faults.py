"""What is wrong with a list, in words: of a whole file, of a cell, of what stands in the way of taking it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Said of a whole file, of a cell, and of what stands in the way of taking an import back.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "not-a-list": (
        "This is no CSV and no xlsx file. Save the list as one of them and send it again.",
        "这不是 CSV 或 xlsx 文件，请另存为其中一种再上传。",
    ),
    "old-workbook": (
        "This is a workbook of the old kind (.xls). Save it as .xlsx and send it again.",
        "这是旧版 .xls 文件，请另存为 .xlsx 再上传。",
    ),
    "encoding": (
        "The text is neither UTF-8 nor GB18030. Save it as CSV UTF-8 and send it again.",
        "文字编码不是 UTF-8 也不是 GB18030，请另存为CSV UTF-8再上传。",
    ),
    "too-big-inside": (
        "Unpacked, this workbook is too large. Keep the list alone in it, without pictures and other sheets.",
        "工作簿解开后过大，请只留名单，去掉图片和其他工作表。",
    ),
    "too-many-lines": (
        "There are more than {most} lines. Send them as several lists.",
        "超过 {most} 行，请分成几个文件上传。",
    ),
    "too-many-columns": (
        "There are more than {most} columns. Keep those that are named.",
        "超过 {most} 列，请只留需要的列。",
    ),
    "no-lines": ("There is a header and no line under it. Add the lines.", "只有表头，没有内容，请补上内容。"),
    "no-header": (
        "The header lacks these columns: {columns}. Name them in one of the first rows, one cell a column, unmerged.",
        "表头缺少这些列：{columns}。请在前几行写出列名，一列一格，不要合并单元格。",
    ),
    "column-twice": (
        "The column {columns} stands there twice. Keep one of them.",
        "“{columns}”列出现了两次，请保留一列。",
    ),
    "column-unknown": (
        "These columns are not known: {columns}. Name or remove them; merged header cells leave columns unnamed.",
        "不认识这些列：{columns}。请改名或删除；合并的表头会使列没有名字。",
    ),
    "formula": ("There is a formula here. Paste its value.", "这里是公式，请粘贴为数值。"),
    "error-value": (
        "There is an error of the spreadsheet here. Write the value.",
        "这里是表格的错误值，请填写实际内容。",
    ),
    "control": (
        "There is a character here that cannot be kept. Type the text anew.",
        "这里有无法保存的字符，请重新输入。",
    ),
    "long": ("This is longer than {most} characters. Shorten it.", "超过 {most} 个字，请缩短。"),
    "one-line": ("Write this in one line.", "请写成一行。"),
    "needed": ("This is needed.", "此项必填。"),
    "code": (
        "This is no division code: 2, 4, 6, 9, 12, 15 or 17 digits. Check it.",
        "不是区划代码（2、4、6、9、12、15 或 17 位数字），请核对。",
    ),
    "code-rounded": (
        "The spreadsheet has rounded this code. Format the column as text and type it again.",
        "代码被表格四舍五入了，请把该列设为文本格式后重新填写。",
    ),
    "code-digits": ("This needs a code of {digits} digits. Check it.", "这里需要 {digits} 位数字的代码，请核对。"),
    "outside": (
        "This lies outside {at}, for which you are responsible. Leave the line out.",
        "不在您负责的 {at} 范围内，请删去此行。",
    ),
    "elsewhere": (
        "This lies outside the village of the line. Name one inside.",
        "不在本行所写的村内，请改为本村的代码。",
    ),
    "unit-unknown": (
        "There is no unit with this code. Import the grids and groups first.",
        "没有这个代码的单位，请先导入网格和组。",
    ),
    "id": ("This is no id of ours. Leave it empty for somebody or something new.", "编号不对；新增时请留空。"),
    "id-unknown": (
        "Nothing in your reach has this id. Leave it empty for a new one.",
        "您的范围内没有这个编号；新增时请留空。",
    ),
    "household-name": ("Give the household a code, or its id.", "请填写户号，或填写编号。"),
    "household-unknown": (
        "There is no such household in the village. Import households first.",
        "村里没有这一户，请先导入住户。",
    ),
    "household-code-taken": (
        "Another household of the village has this code. Give each its own.",
        "村里另一户已用这个户号，请各用各的。",
    ),
    "phone": (
        "This is no phone number: 11 digits for a mobile, area code and number, or + and country code.",
        "电话号码不对：手机 11 位，座机带区号，境外号码以 + 开头。",
    ),
    "role": ("“{role}” is no role. Write one of: {roles}.", "没有“{role}”这个角色，可填：{roles}。"),
    "role-place": ("“{role}” needs a place: write role@code.", "“{role}”需要写明在哪里，请写成“角色@代码”。"),
    "too-many": ("There are more than {most} here. Leave some out.", "超过 {most} 项，请减少。"),
    "capacity": ("Write a whole number from 0 to 100.", "请填 0 到 100 的整数。"),
    "day": ("Write a day as 2026-03-31.", "请写成 2026-03-31 这样的日期。"),
    "yes-or-no": ("Write yes or no.", "请填“是”或“否”。"),
    "linking": (
        "Write the phone number or the id of the linking household's person.",
        "请填写中心户党员的电话或编号。",
    ),
    "linking-unknown": (
        "Nobody who works in your reach has this phone number or id. Import people first.",
        "您的范围内没有这个电话或编号的志愿者，请先导入人员。",
    ),
    "linking-several": (
        "Several people have this phone number. Write the id of one.",
        "几个人共用这个电话，请填写其中一人的编号。",
    ),
    "person-several": (
        "Several people here have this name and phone number. Write the id of the one meant.",
        "有几个人姓名电话相同，请填写其中一人的编号。",
    ),
    "twice": (
        "This is the same as line {line}. Keep one, or tell them apart.",
        "与第 {line} 行重复，请保留一行或加以区分。",
    ),
    "moved-on": (
        "Something in the list was changed meanwhile. Nothing was applied; check the list again and look at it anew.",
        "名单中的内容在此期间有改动，没有写入任何数据；请重新核对后再应用。",
    ),
    "interrupted": (
        "The work was interrupted and nothing of it was kept. Start it again.",
        "处理中断，没有写入任何数据，请重新开始。",
    ),
    "broken": (
        "Something failed on our side and nothing of it was kept. Tell the operator the number of this import.",
        "系统出错，没有写入任何数据，请把本次导入的编号告诉运维人员。",
    ),
    "changed-since": ("This was changed after the import.", "导入之后有过改动。"),
    "in-use": (
        "This is in use by now: orders, people, households or sign-ins refer to it.",
        "已被使用：有诉求、人员、住户或登录与它有关。",
    ),
    "erased": ("The person was erased after the import.", "导入之后此人已注销。"),
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a cell (`column`) or a whole line (no column); `values` fill the sentence, never its text."""

    code: str
    column: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As it is kept in the database."""
        return {"column": self.column, "code": self.code, "values": dict(self.values)}


class Unreadable(Exception):
    """A file that is no list of this kind; carries what is said of it."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.fault = Fault(code, values=values)


def sentence(code: str, values: Mapping[str, Any], language: str) -> str:
    """What is said of a fault, in `en` or `zh-CN`."""
    english, chinese = SENTENCES[code]
    return (english if language == "en" else chinese).format(**values)
