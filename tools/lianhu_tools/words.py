"""`python -m lianhu_tools.words [check]`: the catalogues of pages hold what pages say, all of it and nothing else.

English is the source, in code and templates; each package with pages keeps its Chinese in `words/zh_CN.po`.
"""

import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from lianhu_tools.topology import SERVICES, clone

LOCALE = "zh_CN"
_METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "say": None, "label": None}
_OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.i18n"}}
_HEADER = (
    b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
_PLACES = re.compile(r"%\((\w+)\)s|%%")


def packages(root: Path) -> list[tuple[Path, Path]]:
    """Each package with pages: its folder, and its catalogue."""
    found = [(root / "shared/web/src/lianhu_web", root / f"shared/web/src/lianhu_web/words/{LOCALE}.po")]
    for name in SERVICES:
        folder = root / f"services/{name}/src/{name}_service"
        if (folder / "web" / "templates").is_dir():
            found.append((folder, folder / "web" / "words" / f"{LOCALE}.po"))
    return found


def said(folder: Path) -> set[str | tuple[str, ...]]:
    """Every text that a package says, in English."""
    texts: set[str | tuple[str, ...]] = set()
    # A template's own blocks repeat no words; what is marked in Python may be said on several pages.
    for _, _, message, _, _ in extract_from_dir(folder, _METHODS, _OPTIONS, keywords=_KEYWORDS):
        texts.add(tuple(message) if isinstance(message, list | tuple) else message)
    return {text for text in texts if text}


def kept(file: Path) -> Catalog:
    """The catalogue as it lies there; an empty one where there is none."""
    if not file.exists():
        return Catalog(locale=LOCALE)
    return read_po(io.BytesIO(file.read_bytes()), locale=LOCALE)


def brought_up_to_date(texts: set[str | tuple[str, ...]], old: Catalog) -> bytes:
    """The catalogue with just these texts, sorted, with the translations that are known."""
    made = Catalog(locale=LOCALE, fuzzy=False, charset="utf-8")
    for text in texts:
        known = old.get(text if isinstance(text, str) else text[0])
        made.add(text, known.string if known and known.string else None)
    out = io.BytesIO()
    write_po(out, made, width=0, omit_header=True, sort_output=True, ignore_obsolete=True)
    return _HEADER + out.getvalue().strip() + b"\n"


def faults(name: str, texts: set[str | tuple[str, ...]], catalogue: Catalog, shared: set[str]) -> list[str]:
    """What is missing, unused, or names other values than the English does."""
    found = []
    singulars = {text if isinstance(text, str) else text[0] for text in texts}
    for text in sorted(singulars):
        message = catalogue.get(text)
        translation = (message.string if message else "") or ""
        chinese = translation if isinstance(translation, str) else "".join(translation)
        if not chinese:
            if text not in shared:
                found.append(f"{name}: no Chinese for {text!r}")
        elif set(_PLACES.findall(chinese)) != set(_PLACES.findall(text)):
            found.append(f"{name}: other values in the Chinese of {text!r}")
    for message in catalogue:
        singular = message.id if isinstance(message.id, str) else message.id[0]
        if singular and singular not in singulars:
            found.append(f"{name}: nobody says {singular!r} any more")
    return found


def main(arguments: list[str]) -> int:
    """Updates every catalogue, or with `check` says what is wrong with them; the exit code."""
    root = clone()
    found: list[str] = []
    shared: set[str] = set()
    count = 0
    for folder, file in packages(root):
        texts, old = said(folder), kept(file)
        count += len(texts)
        if arguments != ["check"]:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(brought_up_to_date(texts, old))
            old = kept(file)
        found += faults(folder.name, texts, old, shared)
        shared |= {str(message.id) for message in old if message.string} if folder.name == "lianhu_web" else set()
    print("\n".join(found) or f"{count} texts, each in Chinese and English")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
