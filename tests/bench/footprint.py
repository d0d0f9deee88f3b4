"""Start-up and memory of each process, beside a bare handler's; and the images' sizes where an engine has them."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

import docker
import docker.errors

from bench.house import House, Process
from bench.ratios import Ratio
from lianhu_tools.topology import SERVICES


@dataclass
class Taken:
    """Start-up in seconds and memory in megabytes, once a round."""

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def take(self, process: Process) -> None:
        """One round more."""
        self.seconds.append(process.ready_after)
        self.memory.append(process.megabytes)

    def __str__(self) -> str:
        return f"{statistics.median(self.seconds):.1f} s, {statistics.median(self.memory):.0f} MB"


async def measure(house: House, rounds: int) -> list[Ratio]:
    """From the start of the process until it says that it is ready; memory of its own then. Told, nothing is wanted."""
    url = house.all_of((await house.database("requests")).owner)
    bare = Taken()
    for _ in range(min(rounds, 3)):
        bare.take(await house.floor("intake_bare", url))
        house.end_processes()
    ratios = []
    for service in SERVICES:
        urls = await house.database(service)
        for role, address in (("api", urls.api), ("worker", urls.worker)):
            ours = Taken()
            for _ in range(min(rounds, 3)):
                ours.take(await house.service(service, role, address))
                house.end_processes()
            ratio = statistics.median(ours.memory) / statistics.median(bare.memory)
            figures = f"{ours} beside {bare}"
            name = f"memory of {service} {role} / bare handler"
            ratios.append(Ratio(name, ratio, rounds=min(rounds, 3), figures=figures))
    return [*ratios, *_images()]


def _images() -> Iterator[Ratio]:
    """Each service's image beside the one it is built on, where a container engine has both."""
    try:
        engine = docker.from_env(timeout=5)
        sizes = {tag: image.attrs["Size"] / 1e6 for image in engine.images.list() for tag in image.tags}
    except (docker.errors.DockerException, OSError):
        yield Ratio("images / their base", math.nan, figures="not measured here: no container engine answers")
        return
    below = sizes.get("python:3.12-slim")
    ours = {name: sizes[f"lianhu/{name}:latest"] for name in SERVICES if f"lianhu/{name}:latest" in sizes}
    if below is None or not ours:
        yield Ratio("images / their base", math.nan, figures="not measured here: no images are built")
        return
    for name, size in ours.items():
        yield Ratio(f"image of {name} / its base", size / below, figures=f"{size:.0f} MB beside {below:.0f} MB")
