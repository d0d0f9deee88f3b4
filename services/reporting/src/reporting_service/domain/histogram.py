"""Durations as counts in log-spaced buckets: they can be added, and their median errs by at most 5 %."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

# Bucket i >= 1 holds [RATIO ** (i - 1), RATIO ** i) seconds and is read as its geometric middle, so the
# error is at most sqrt(1.1) - 1 = 4.9 %. Bucket 0 holds what took less than a second, read as 0.
RATIO = 1.1
_BOUNDS = tuple(RATIO**i for i in range(220))  # the last bound is 36 years


def bucket_of(seconds: float) -> int:
    """The bucket of a duration; negative ones count as 0."""
    return bisect_right(_BOUNDS, seconds)


def seconds_of(bucket: int) -> float:
    """How a bucket is read."""
    return 0.0 if bucket == 0 else float(RATIO ** (bucket - 0.5))


def median(counts: Mapping[int, int]) -> float | None:
    """The median in seconds, of an even number the lower middle; None without cases."""
    cases = sum(counts.values())
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen * 2 >= cases > 0:
            return seconds_of(bucket)
    return None
