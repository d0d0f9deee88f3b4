"""Where a page sends somebody on: only to ourselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianhu_web.visiting import own_path


@pytest.mark.parametrize("path", ["/desk", "/track/12345678?tenant=441702008205&code=ABC234", "/"])
def test_a_place_of_ours_is_kept(path: str) -> None:
    assert own_path(path, "/x") == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "desk",
        "//evil.example/x",
        "https://evil.example/",
        "/\\evil.example",
        "/a\r\nSet-Cookie: x",
        "javascript:alert(1)",
    ],
)
def test_anything_else_is_not(path: str | None) -> None:
    assert own_path(path, "/x") == "/x"


@given(st.text(max_size=40))
def test_never_another_host(text: str) -> None:
    path = own_path(text, "/")
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
