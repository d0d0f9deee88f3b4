"""Photos saved anew: only the picture is left; what is none, or too much, is refused with a remedy."""

import asyncio
import io
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lianhu_kit.problems import Invalid, Unavailable
from lianhu_web import photos
from requests_service.domain.photos import (
    KEPT_DAYS,
    NotYours,
    OrderEnded,
    PhotosFull,
    Purpose,
    over_at,
    purpose,
    removes,
)
from requests_service.domain.statuses import Status
from requests_service.handlers import reencoding
from requests_service.handlers.reencoding import NoPhoto, Reencoder, Saved, reencode
from support.pictures import HIDDEN, bomb, opened, photo


def test_nothing_but_the_picture_is_left() -> None:
    given = photo()
    assert opened(given).getexif().get_ifd(0x8825)
    assert given.count(HIDDEN) == 2
    saved, small = reencode(given)
    assert HIDDEN not in saved
    assert b"<script" not in saved
    assert b"Exif" not in saved
    assert b"Sample Camera" not in saved
    picture = opened(saved)
    assert (picture.format, picture.size, dict(picture.getexif())) == ("JPEG", (640, 480), {})
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert saved.endswith(b"\xff\xd9")
    assert HIDDEN not in small
    assert opened(small).size == (160, 120)
    assert len(small) < 8_000


def test_it_stands_upright_and_is_made_small() -> None:
    given = Image.new("RGB", (4000, 1000), "white")
    given.paste((200, 0, 0), (0, 0, 4000, 400))
    beside = given.getexif()
    beside[0x0112] = 6  # the camera was turned: what is on top lies right
    out = io.BytesIO()
    given.save(out, "JPEG", exif=beside)
    picture = opened(reencode(out.getvalue()).content)
    assert picture.size == (400, 1600)
    right, left = picture.getpixel((390, 800)), picture.getpixel((10, 800))
    assert isinstance(right, tuple)
    assert isinstance(left, tuple)
    assert (right[1] < 40, left[1] > 200) == (True, True)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "CMYK", "1"])
def test_every_kind_becomes_a_plain_jpeg(kind: str, mode: str) -> None:
    out = io.BytesIO()
    try:
        Image.new(mode, (50, 40)).save(out, kind)
    except (OSError, ValueError):
        pytest.skip(f"{kind} has no {mode}")
    picture = opened(reencode(out.getvalue()).content)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (50, 40))


def test_what_can_be_seen_through_becomes_white() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (50, 40), (255, 0, 0, 0)).save(out, "PNG")
    assert opened(reencode(out.getvalue()).content).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body>no photo</body></html>", reencoding.NOT_ONE),
        (b"GIF89a" + bytes(100), reencoding.NOT_ONE),
        (b"\xff\xd8\xff\xe0" + b"x" * 500, reencoding.NOT_ONE),
        (photo()[:2000], reencoding.NOT_ONE),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00" + bytes(100), reencoding.HEIC),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", reencoding.NOT_ONE),
        (bomb(), reencoding.TOO_MANY_POINTS),
        (bomb(9_000, 9_000), reencoding.TOO_MANY_POINTS),
    ],
)
def test_what_is_no_photo_is_refused_at_once(content: bytes, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(NoPhoto) as refused:
        reencode(content)
    assert str(refused.value) == said
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_largest_that_is_read_takes_bounded_memory(kind: str, tmp_path: Path) -> None:
    side = int(reencoding.MOST_POINTS[kind] ** 0.5)
    worst = Image.effect_noise((side, side), 5).convert("RGB" if kind == "JPEG" else "RGBA")
    more: dict[str, Any] = {"progressive": True, "subsampling": 0, "quality": 30} if kind == "JPEG" else {}
    out = io.BytesIO()
    worst.save(out, kind, **more)
    assert reencode(out.getvalue()).content
    file = tmp_path / "worst"
    file.write_bytes(out.getvalue())
    ran = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(file)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(ran.stdout) < 160 * 1024, f"{kind}: {int(ran.stdout) // 1024} MB"


_MEASURED = """
import resource, sys
from pathlib import Path
from requests_service.handlers.reencoding import reencode
content = Path(sys.argv[1]).read_bytes()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reencode(content)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


async def test_no_file_and_a_large_one_are_told_at_their_field() -> None:
    read = Reencoder()
    for content, said in ((b"", reencoding.NO_FILE), (bytes(reencoding.LARGEST + 1), reencoding.TOO_LARGE)):
        with pytest.raises(Invalid) as refused:
            await read(content)
        assert [(error.field, error.detail) for error in refused.value.errors] == [("photo", said)]


async def test_a_slow_one_keeps_its_place_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    going, most = 0, 0

    done = Saved(b"done", b"small")

    def slow(_content: bytes) -> Saved:
        nonlocal going, most
        going += 1
        most = max(most, going)
        time.sleep(0.2)
        going -= 1
        return done

    monkeypatch.setattr(reencoding, "reencode", slow)
    read = Reencoder(at_once=1, seconds=0.05)
    answers: list[Any] = await asyncio.gather(*(read(b"x") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    patient = Reencoder(at_once=1, seconds=5)
    assert await asyncio.gather(*(patient(b"x") for _ in range(3))) == [done] * 3
    assert most <= 2  # one of each


def test_whose_photo_shows_what() -> None:
    assert purpose("clerk", Status.SUBMITTED, own=False, held=None) is Purpose.ORDER
    assert purpose("resident", Status.IN_PROGRESS, own=True, held=None) is Purpose.ORDER
    assert purpose("volunteer", Status.IN_PROGRESS, own=False, held="held") is Purpose.COMPLETION
    assert purpose("volunteer", Status.COMPLETED, own=False, held="completed") is Purpose.COMPLETION
    for held in ("released", "returned", "cancelled", None):
        with pytest.raises(NotYours):
            purpose("volunteer", Status.CLAIMED, own=False, held=held)
    with pytest.raises(NotYours):
        purpose("supervisor", Status.WITH_TOWN, own=False, held=None)
    for status in set(Status) - {*(Status(each) for each in reopenable())}:
        with pytest.raises(OrderEnded):
            purpose("clerk", status, own=True, held="held")


def reopenable() -> list[str]:
    return [
        "submitted", "awaiting_resident", "accepted", "dispatched", "claimed", "in_progress", "referred", "with_town",
        "completed",
    ]  # fmt: skip


def test_pages_of_all_services_know_why_one_is_refused() -> None:
    said = {
        reencoding.NO_FILE, reencoding.NOT_ONE, reencoding.HEIC, reencoding.TOO_LARGE, reencoding.TOO_MANY_POINTS,
        reencoding.BUSY, *(str(each.__doc__) for each in (OrderEnded, PhotosFull, NotYours)),
    }  # fmt: skip
    assert said == set(photos.SENTENCES)
    assert photos.LARGEST == reencoding.LARGEST
    assert set(photos.SHOWS) == {purpose.value for purpose in Purpose}


def test_who_takes_one_away() -> None:
    assert removes("clerk", Purpose.COMPLETION, own=False, by_them=False)
    assert removes("resident", Purpose.ORDER, own=True, by_them=False)
    assert removes("volunteer", Purpose.COMPLETION, own=False, by_them=True)
    assert not removes("resident", Purpose.COMPLETION, own=True, by_them=False)
    assert not removes("grid_leader", Purpose.ORDER, own=False, by_them=False)


def test_how_long_they_are_kept() -> None:
    closed = datetime(2026, 1, 1, tzinfo=UTC)
    assert over_at(None, {"photos_kept_days": 3}) is None
    assert over_at(closed, {}) == closed + timedelta(days=KEPT_DAYS)
    assert over_at(closed, {"photos_kept_days": 3}) == closed + timedelta(days=3)
