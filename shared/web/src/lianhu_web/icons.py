"""Icons of Lucide (ISC), drawn into the page itself: no file more to ask for, and the colour of the words beside it."""

import re
from importlib.resources import files

_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


def _drawn(source: str) -> str:
    found = _DRAWING.search(source)
    if found is None:
        raise ValueError("an icon's file holds one svg element")
    inside = re.sub(r"\s*\n\s*", "", found[1])
    # How it is drawn stands in look.css; read out it says nothing, the words beside it do.
    return f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">{inside}</svg>'


# Only what a package of ours holds: templates write it as it is.
ICONS: dict[str, str] = {
    file.name.removesuffix(".svg"): _drawn(file.read_text("utf-8"))
    for file in sorted(files("lianhu_web").joinpath("icons").iterdir(), key=lambda file: file.name)
    if file.name.endswith(".svg")
}
