"""A prediction as Secondary Capture: the picture that every viewer shows without configuration."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from highdicom.sc import SCImage
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from core.values.prediction import Prediction
from core.values.report_context import NO_CONTEXT, ReportContext
from reports.encapsulated_pdf import source_reference
from reports.equipment import Equipment
from reports.field_plot import draw_field_rgb
from reports.heading import (
    Moment,
    contributing_equipment,
    moment_of,
    series_description,
    stamp,
)
from reports.identifiers import series_instance_uid, sop_instance_uid
from reports.report import ReportKind
from reports.source import copy_identity, patient_of, read_sources, reference_of
from reports.sr_document import Heading

#: Follows the structured report in lists.
_SERIES_NUMBER: Final = 24202

#: Required by the library; a drawn page has the orientation of a portrait photograph.
_PATIENT_ORIENTATION: Final = ("L", "F")


class SecondaryCapture:
    """The picture of a prediction, with the patient's name and the warning burned in."""

    kind: Final = ReportKind.SECONDARY_CAPTURE

    def build(
        self,
        prediction: Prediction,
        sources: Sequence[Dataset],
        equipment: Equipment,
        context: ReportContext = NO_CONTEXT,
    ) -> Dataset:
        """Return the report; see `ReportFormat.build`."""
        header = read_sources(prediction, sources)[0]
        heading = Heading(
            series_instance_uid=series_instance_uid(prediction.prediction_id, self.kind),
            sop_instance_uid=sop_instance_uid(prediction.prediction_id, self.kind),
            series_number=_SERIES_NUMBER,
            instance_number=1,
            description=series_description(prediction),
            moment=moment_of(prediction, header, equipment),
            contributors=[contributing_equipment(prediction, equipment)],
        )
        shown = replace(prediction, patient=patient_of(header, prediction.patient))
        image = capture(draw_field_rgb(shown), header, heading, equipment)
        # Type 2C of a paired organ: empty says that the side is not known.
        image.Laterality = prediction.laterality.value if prediction.laterality else ""
        image.DerivationDescription = (
            f"Drawn from the result of {derivation_words(prediction)}; not a measured visual "
            f"field. {prediction.notice}"
        )
        image.SourceImageSequence = [source_reference(header)]
        return image


def capture(
    picture: NDArray[np.uint8], header: Dataset, heading: Heading, equipment: Equipment
) -> Dataset:
    """Return a picture of the study of a source, without what tells whose result it shows.

    Parameters
    ----------
    picture
        uint8, shape (height, width, 3).
    """
    moment = heading.moment
    image = SCImage.from_ref_dataset(
        ref_dataset=reference_of(header),
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=_PATIENT_ORIENTATION,
        series_instance_uid=heading.series_instance_uid,
        series_number=heading.series_number,
        sop_instance_uid=heading.sop_instance_uid,
        instance_number=heading.instance_number,
        manufacturer=equipment.manufacturer,
        manufacturer_model_name=equipment.model_name,
        software_versions=equipment.software_version,
        device_serial_number=equipment.device_serial,
        series_description=heading.description,
        contributing_equipment=heading.contributors,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set="ISO_IR 192",
        content_date=moment.date,
        content_time=moment.time,
    )
    copy_identity(header, image)
    stamp(image, moment)
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.BurnedInAnnotation = "YES"
    _name_device(image, equipment, moment)
    return image


def derivation_words(prediction: Prediction) -> str:
    """Return by which model a picture was made possible, and what that does."""
    model = prediction.model
    return (
        f"{model.name} {model.version} (weights {model.digest}), which estimates the 24-2 visual "
        f"field from {prediction.origin}"
    )


def _name_device(image: Dataset, equipment: Equipment, moment: Moment) -> None:
    image.SecondaryCaptureDeviceManufacturer = equipment.manufacturer
    image.SecondaryCaptureDeviceManufacturerModelName = equipment.model_name
    image.SecondaryCaptureDeviceSoftwareVersions = equipment.software_version
    image.DateOfSecondaryCapture = moment.date
    image.TimeOfSecondaryCapture = moment.time
