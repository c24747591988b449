"""An export from beginning to end; stopped at any moment, it goes on where it was."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from arcuate.exporting.object_list import ObjectList
from arcuate.exporting.objects import ObjectWriter
from arcuate.exporting.order import ExportOrder
from arcuate.exporting.readme import write_readme
from arcuate.exporting.results import write_results
from arcuate.exporting.selection import ChosenObject, chosen_objects
from core.database import Database
from dicom_node.storage.bytes import Storage

#: Shows progress over what is gone through.
Tracker = Callable[[Iterable[ChosenObject]], Iterable[ChosenObject]]


@dataclass(frozen=True)
class Exported:
    """How an export ended.

    Attributes
    ----------
    counts
        Objects in the folder and those refused by cause, this run's and earlier ones'.
    new
        Objects of this run.
    """

    counts: dict[str, int]
    warnings: dict[str, int]
    results: int
    new: int


def export(
    database: Database, storage: Storage, order: ExportOrder, track: Tracker = iter
) -> Exported:
    """Write what is ordered; objects that the folder holds already are left out.

    Raises
    ------
    ExportElsewhere
        If the folder holds another export.
    TableUnwritable
        If Parquet's library is not installed.
    DatabaseAway, StorageAway
        If one does not answer.
    """
    order.open_folder()
    # First: it fails at once where its library is missing.
    results = write_results(database, order)
    objects, writer = ObjectList(order.folder), ObjectWriter(order, storage)
    before = len(objects)
    with objects.open() as file:
        for chosen in track(chosen_objects(database, order)):
            if order.pseudonyms.uid(chosen.sop_instance_uid) not in objects:
                objects.add(writer.write(chosen), file)
    write_readme(order, objects, results)
    return Exported(
        dict(objects.counts()), dict(objects.warnings()), results, len(objects) - before
    )
