"""What the folder of an export says of itself."""

from collections import Counter
from pathlib import Path
from string import Template
from typing import Final

from arcuate.exporting.object_list import WRITTEN, ObjectList
from arcuate.exporting.order import ExportOrder
from core.values.prediction import ESTIMATE_NOTICE
from dicom_node.deidentification.options import METHODS, Option
from dicom_node.deidentification.refusals import UNSAID_WARNING, Refusal
from dicom_node.deidentification.table import EDITION

NAME: Final = "README.md"
_TEMPLATE: Final = Path(__file__).with_name("readme.md.template")

_OPTION_WORDS: Final = {
    Option.MODIFIED_DATES: "dates are moved, each patient's by a number of days of its own, one to "
    "ten years; intervals and times of day are true",
    Option.DEVICE_IDENTITY: "serial numbers, stations and Device UIDs stay",
    Option.PATIENT_CHARACTERISTICS: "age, sex, size and the like stay; 90 years stands for 90 and "
    "above",
    Option.CLEAN_DESCRIPTORS: "descriptions stay where they hold words of the field alone",
}
_WARNINGS: Final = {
    UNSAID_WARNING: "images that do not say whether text is burned in; look at them before you "
    "pass them on"
}


def write_readme(order: ExportOrder, objects: ObjectList, results: int) -> None:
    """Write the README of an export."""
    counts = objects.counts()
    text = Template(_TEMPLATE.read_text("utf-8")).substitute(
        project=order.pseudonyms.project,
        notice=ESTIMATE_NOTICE,
        written=counts[WRITTEN],
        ending="parquet" if order.as_parquet else "csv",
        results=results,
        edition=EDITION,
        options=_lines(_options(order), "Nothing: without options no date, age or sex is given."),
        refusals=_lines(_refusals(counts), "Everything was."),
        warnings=_lines(_warned(objects.warnings()), "Nothing."),
    )
    (order.folder / NAME).write_text(text, "utf-8")


def _lines(items: list[str], none: str) -> str:
    return "\n".join(f"- {item}" for item in items) or none


def _options(order: ExportOrder) -> list[str]:
    return [
        f"{METHODS[option].meaning} ({METHODS[option].code}): {_OPTION_WORDS[option]}"
        for option in Option
        if option in order.options
    ]


def _refusals(counts: Counter[str]) -> list[str]:
    return [
        f"{counts[refusal]} × `{refusal}`: {refusal.explanation}"
        for refusal in Refusal
        if counts[refusal]
    ]


def _warned(warnings: Counter[str]) -> list[str]:
    return [f"{number} × `{code}`: {_WARNINGS[code]}" for code, number in warnings.items()]
