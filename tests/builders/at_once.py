"""Stores that come at the same instant."""

import threading

from core.errors import NodeError
from dicom_node.storage.archive import Archive
from dicom_node.storage.ingest import ingest
from dicom_node.storage.part10 import EncodedInstance


def ingest_at_once(archive: Archive, instances: list[EncodedInstance]) -> list[object]:
    """Ingest all at the same instant; return the outcome or the error of each."""
    barrier = threading.Barrier(len(instances))
    results: list[object] = [None] * len(instances)

    def work(index: int) -> None:
        barrier.wait()
        try:
            results[index] = ingest(archive, instances[index])
        except NodeError as error:
            results[index] = type(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(instances))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results
