"""Files as cameras, phones and people of bad intent make them."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

HIDDEN = b"<html><script>alert('hidden')</script></html>"
WHERE = (23.0, 6.0, 52.0)


def photo(size: tuple[int, int] = (640, 480), *, colour: Any = (20, 120, 60), turned: int = 0) -> bytes:
    """A JPEG as a phone writes it: where and with what it was taken, a comment; `turned` is its EXIF orientation."""
    picture = Image.new("RGB", size, colour)
    beside = picture.getexif()
    beside[0x010F] = "Sample Camera"
    beside[0x0112] = turned or 1
    place = beside.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", WHERE, "E", WHERE
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=beside, comment=HIDDEN)
    return out.getvalue() + HIDDEN


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """A few bytes of PNG that say that they are a very large picture."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def opened(content: bytes) -> Image.Image:
    """A picture to look at."""
    return Image.open(io.BytesIO(content))
