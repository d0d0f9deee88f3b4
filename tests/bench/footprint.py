"""Start-up and memory of each process, beside a bare handler's."""

import statistics
from dataclasses import dataclass, field

from bench.house import House, Process
from bench.ratios import Ratio, median_ratio
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
    ratios = []
    for service in SERVICES:
        urls = await house.database(service)
        for role, address in (("api", urls.api), ("worker", urls.worker)):
            ours, bare = Taken(), Taken()
            for _ in range(min(rounds, 3)):
                bare.take(await house.floor("intake_bare", url))
                ours.take(await house.service(service, role, address))
                house.end_processes()
            ratio = median_ratio(ours.memory, bare.memory)
            figures = f"{ours} beside {bare}"
            ratios.append(
                Ratio(f"memory of {service} {role} / bare handler", ratio, rounds=len(ours.memory), figures=figures)
            )
    return ratios
