"""What is stored: the four loads of an eye clinic."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from arcuate.bench.ingest.choices import WorkloadName
from arcuate.bench.ingest.encoded_object import EncodedObject
from arcuate.bench.ingest.objects import circle_scan, fundus_photograph, volume


@dataclass(frozen=True)
class Workload:
    """One load.

    Attributes
    ----------
    instances, quick_instances
        How many are stored in one run, all associations together.
    instances_per_study
        How many in a row are of one patient, study and series.
    """

    name: WorkloadName
    title: str
    instances: int
    quick_instances: int
    instances_per_study: int
    build: Callable[[], EncodedObject]


WORKLOADS: Final[tuple[Workload, ...]] = (
    Workload(WorkloadName.CIRCLES, "OCT circle scans", 400, 12, 20, circle_scan),
    # 25 B-scans of 512 A-scans, as a common scanner takes them.
    Workload(WorkloadName.VOLUMES, "OCT volumes", 40, 4, 4, partial(volume, 25, 496, 512)),
    # 128 B-scans of 512 A-scans, 885 rows deep.
    Workload(
        WorkloadName.LARGE_VOLUMES, "large OCT volumes", 6, 2, 2, partial(volume, 128, 885, 512)
    ),
    Workload(WorkloadName.PHOTOGRAPHS, "JPEG photographs", 100, 6, 4, fundus_photograph),
)
