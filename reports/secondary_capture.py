"""A prediction as Secondary Capture: the picture that every viewer shows without configuration."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from highdicom.sc import SCImage
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from core.values.prediction import Prediction
from core.values.report_context import NO_CONTEXT, ReportContext
from reports import codes
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
        moment = moment_of(prediction, header, equipment)
        prediction = replace(prediction, patient=patient_of(header, prediction.patient))
        image = self._image(prediction, header, equipment, moment)
        copy_identity(header, image)
        stamp(image, moment)
        _describe(image, prediction, header)
        _name_device(image, equipment, moment)
        return image

    def _image(
        self, prediction: Prediction, header: Dataset, equipment: Equipment, moment: Moment
    ) -> SCImage:
        return SCImage.from_ref_dataset(
            ref_dataset=reference_of(header),
            pixel_array=draw_field_rgb(prediction),
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            patient_orientation=_PATIENT_ORIENTATION,
            laterality=prediction.laterality.value if prediction.laterality else None,
            series_instance_uid=series_instance_uid(prediction.prediction_id, self.kind),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=sop_instance_uid(prediction.prediction_id, self.kind),
            instance_number=1,
            manufacturer=equipment.manufacturer,
            manufacturer_model_name=equipment.model_name,
            software_versions=equipment.software_version,
            device_serial_number=equipment.device_serial,
            series_description=series_description(prediction),
            contributing_equipment=[contributing_equipment(prediction, equipment)],
            transfer_syntax_uid=ExplicitVRLittleEndian,
            specific_character_set="ISO_IR 192",
            content_date=moment.date,
            content_time=moment.time,
        )


def _describe(image: Dataset, prediction: Prediction, header: Dataset) -> None:
    model = prediction.model
    if prediction.laterality is None:
        # Type 2C of a paired organ: empty says that the side is not known.
        image.Laterality = ""
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.BurnedInAnnotation = "YES"
    image.DerivationDescription = (
        f"Drawn from the result of {model.name} {model.version} (weights {model.digest}), which "
        f"estimates the 24-2 visual field from {prediction.origin}; not a measured visual field. "
        f"{prediction.notice}"
    )
    source = Dataset()
    source.ReferencedSOPClassUID = header.SOPClassUID
    source.ReferencedSOPInstanceUID = header.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = [codes.SOURCE_IMAGE]
    image.SourceImageSequence = [source]


def _name_device(image: Dataset, equipment: Equipment, moment: Moment) -> None:
    image.SecondaryCaptureDeviceManufacturer = equipment.manufacturer
    image.SecondaryCaptureDeviceManufacturerModelName = equipment.model_name
    image.SecondaryCaptureDeviceSoftwareVersions = equipment.software_version
    image.DateOfSecondaryCapture = moment.date
    image.TimeOfSecondaryCapture = moment.time
