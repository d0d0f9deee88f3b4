"""Who is served, as a text that is the same each time: what an opaque id is found by."""

import unicodedata


def _same(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def identity(
    *, kind: str, name: str | None, household: object | None, phone: str | None, account: object | None
) -> str | None:
    """What identifies the one served inside a village; None where nothing does.

    `name` is the served person's; `account` is given where they ordered for themselves with an account. A name alone
    identifies nobody: it needs a household or a phone beside it.
    """
    if kind == "household":
        return f"household/{household}" if household else None
    if account:
        return f"account/{account}"
    if name and (household or phone):
        return f"{'household' if household else 'phone'}/{household or phone}/{_same(name)}"
    return None
