"""Files that people call photos: looked at within bounds, turned, shrunk, and saved anew with nothing but the picture.

What a camera writes beside it (place, time, device) and what somebody hid in it is not carried over, since only the
points of the picture are: OWASP File Upload Cheat Sheet, image rewriting.
"""

import asyncio
import io
from typing import NamedTuple

from PIL import Image, ImageFile, ImageOps

from lianhu_kit.problems import FieldError, Invalid, Unavailable

LARGEST = 8 * 1024 * 1024
LONGEST_SIDE = 1600
QUALITY = 80
# Small enough for six of them to come within a page.
SMALL_SIDE = 160
SMALL_QUALITY = 60
SECONDS = 15.0
AT_ONCE = 1
# What reading takes at the worst: of JPEG 6 bytes a point (progressive), of PNG 10, of WebP 18. That makes 120 MB.
MOST_POINTS = {"JPEG": 20_000_000, "MPO": 20_000_000, "PNG": 6_000_000, "WEBP": 6_000_000}
# ISO base media files (ISO/IEC 14496-12, 4.3) that phones save photos in.
_HEIF = {b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1", b"avif"}
NO_FILE = "There is no photo in it. Choose one and send it again."
NOT_ONE = "This is no photo that can be read. Send a JPEG, PNG or WebP file."
HEIC = "Photos of the kind HEIC cannot be read here. Set the camera to JPEG, or send a screenshot of the photo."
TOO_LARGE = "The photo is over 8 MB. Send a smaller one, or a screenshot of it."
TOO_MANY_POINTS = "The photo has too many points. Take it with a lower resolution, or send a screenshot of it."
BUSY = "Too many photos are being read at the moment. Send it again in a minute."


class NoPhoto(Exception):
    """A file that no photo is made of; the message says what to do."""


class Saved(NamedTuple):
    """A photo as it is kept: the picture, and a small one of it."""

    content: bytes
    thumbnail: bytes


def reencode(content: bytes) -> Saved:
    """The picture alone as a JPEG of at most 1,600 points a side, the right way up. Raises NoPhoto."""
    # What ends in the middle is no photo, whatever else in this process wants of its own pictures.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if content[4:8] == b"ftyp" and content[8:12] in _HEIF:
        raise NoPhoto(HEIC)
    try:
        bare = _bare(_opened(content))
        saved = _jpeg(bare, QUALITY)
        bare.thumbnail((SMALL_SIDE, SMALL_SIDE))
        return Saved(saved, _jpeg(bare, SMALL_QUALITY))
    except NoPhoto:
        raise
    except Image.DecompressionBombError:
        raise NoPhoto(TOO_MANY_POINTS) from None
    except Exception:  # readers of pictures raise whatever a broken file makes them stumble over
        raise NoPhoto(NOT_ONE) from None


def _opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
    if picture.width * picture.height > MOST_POINTS[picture.format or ""]:
        raise NoPhoto(TOO_MANY_POINTS)
    return picture


def _bare(picture: Image.Image) -> Image.Image:
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        picture = Image.new("RGB", seen.size, "white")
        picture.paste(seen, mask=seen.getchannel("A"))
    # Into a picture of its own: comments and profiles hang on the one that was read.
    bare = Image.new("RGB", picture.size)
    bare.paste(picture.convert("RGB"))
    return bare


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


class Reencoder:
    """Saves photos anew in threads, so many at once; who comes while all are taken waits, and not for ever."""

    def __init__(self, at_once: int = AT_ONCE, seconds: float = SECONDS) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._seconds = seconds

    async def __call__(self, content: bytes) -> Saved:
        """The photo saved anew. Raises Invalid at `photo`, Unavailable where it takes too long."""
        if not content:
            raise Invalid([FieldError("photo", NO_FILE)])
        if len(content) > LARGEST:
            raise Invalid([FieldError("photo", TOO_LARGE)])
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
                work = asyncio.ensure_future(asyncio.to_thread(reencode, content))
                # A thread cannot be ended: its place is free when it has, not when its caller went.
                work.add_done_callback(self._ended)
                return await asyncio.shield(work)
        except TimeoutError:
            raise Unavailable(BUSY, after=30) from None
        except NoPhoto as refused:
            raise Invalid([FieldError("photo", str(refused))]) from None

    def _ended(self, work: "asyncio.Future[Saved]") -> None:
        self._free.release()
        if not work.cancelled():
            work.exception()  # looked at, for nobody may be waiting any more
