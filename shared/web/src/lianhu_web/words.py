"""The words of pages: English stands in the code and the templates, Chinese in `words/zh_CN.po` beside them."""

import io
from collections.abc import Mapping
from gettext import NullTranslations
from importlib.resources import files

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES = ("zh-CN", "en")
DEFAULT = "zh-CN"
_OWN = "lianhu_web"


def N_(text: str) -> str:
    """Marks a text for the catalogues where it is written; it is said in a language later, by `gettext`."""
    return text


def _read(package: str, folder: str, language: str) -> Translations | None:
    """A package's catalogue, read from its source form: nothing compiled lies in the repository."""
    source = files(package).joinpath(folder, f"{language.replace('-', '_')}.po")
    if not source.is_file():
        return None
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=language.replace("-", "_")))
    compiled.seek(0)
    return Translations(compiled)


def catalogues(package: str) -> Mapping[str, NullTranslations]:
    """For each language what `package` says and, where it says nothing, what every page shares."""
    made: dict[str, NullTranslations] = {}
    for language in LANGUAGES:
        shared = _read(_OWN, "words", language)
        own = _read(package, "web/words", language)
        found: list[Translations] = [each for each in (own, shared) if each is not None]
        if not found:
            made[language] = NullTranslations()  # English is the source: a text is its own translation
            continue
        chain = Translations()
        for each in found:
            chain.add_fallback(each)
        made[language] = chain
    return made


def language_of(asked: str | None, accepted: str | None, default: str) -> str:
    """The language of a page: what the visitor chose, else what their browser prefers if it is one of ours.

    `accepted` is the header Accept-Language (RFC 9110, 12.5.4), read in its order without its weights.
    """
    if asked in LANGUAGES:
        return str(asked)
    for part in (accepted or "").split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return default
