"""Start-up and memory of each process, beside a bare handler's."""

import statistics
from dataclasses import dataclass, field

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
            ours.take(await house.service(service, role, address))
            house.end_processes()
            ratio = ours.memory[0] / statistics.median(bare.memory)
            ratios.append(Ratio(f"memory of {service} {role} / bare handler", ratio, figures=f"{ours} beside {bare}"))
    return ratios
