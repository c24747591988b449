"""A prediction as Encapsulated PDF: one page that is filed with the patient's documents."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from core.values.prediction import Prediction
from core.values.report_context import NO_CONTEXT, KeptReport, ReportContext
from reports import codes
from reports.clinical_page import draw_page_pdf
from reports.equipment import Equipment
from reports.heading import (
    Moment,
    contributing_equipment,
    moment_of,
    series_description,
    stamp,
)
from reports.identifiers import series_instance_uid, sop_instance_uid
from reports.outcome import outcome_of
from reports.report import ReportKind
from reports.source import copy_identity, patient_of, read_sources

#: Follows the picture in lists.
_SERIES_NUMBER: Final = 24203


class EncapsulatedPdf:
    """The page of a prediction, with its fonts, as an object of the study."""

    kind: Final = ReportKind.PDF

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
        shown = replace(prediction, patient=patient_of(header, prediction.patient))
        document = encapsulate(draw_page_pdf(shown, context), header, equipment, moment)
        document.SeriesInstanceUID = series_instance_uid(prediction.prediction_id, self.kind)
        document.SOPInstanceUID = sop_instance_uid(prediction.prediction_id, self.kind)
        document.SeriesDescription = series_description(prediction)
        document.DocumentTitle = document.SeriesDescription
        finding = codes.finding_of(
            outcome_of(prediction), is_of_photograph=prediction.is_of_photograph
        )
        document.ConceptNameCodeSequence = [finding]
        if prediction.laterality is not None:
            document.ImageLaterality = prediction.laterality.value
        document.SourceInstanceSequence = [source_reference(header)]
        document.ContributingEquipmentSequence = [contributing_equipment(prediction, equipment)]
        name_predecessors(document, context.predecessors_of_kind(self.kind))
        stamp(document, moment)
        return finish(document)


def encapsulate(page: bytes, header: Dataset, equipment: Equipment, moment: Moment) -> Dataset:
    """Return a document of the study of a source, without what tells whose result it is."""
    document = Dataset()
    copy_identity(header, document)
    document.SpecificCharacterSet = "ISO_IR 192"
    document.SOPClassUID = EncapsulatedPDFStorage
    document.Modality = "DOC"
    document.ConversionType = "SYN"
    document.SeriesNumber = _SERIES_NUMBER
    document.InstanceNumber = 1
    document.Manufacturer = equipment.manufacturer
    document.ManufacturerModelName = equipment.model_name
    document.SoftwareVersions = equipment.software_version
    document.DeviceSerialNumber = equipment.device_serial
    document.ContentDate, document.ContentTime = moment.date, moment.time
    document.AcquisitionDateTime = header.get("AcquisitionDateTime", "")
    document.BurnedInAnnotation = "YES"
    document.VerificationFlag = "UNVERIFIED"
    document.MIMETypeOfEncapsulatedDocument = "application/pdf"
    document.EncapsulatedDocumentLength = len(page)
    document.EncapsulatedDocument = page + b"\0" * (len(page) % 2)
    return document


def source_reference(header: Dataset) -> Dataset:
    """Return the scan as what a document was made from (0042,0013)."""
    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [codes.SOURCE_IMAGE]
    return item


def name_predecessors(document: Dataset, predecessors: Sequence[KeptReport]) -> None:
    """Name the documents that this one replaces (0040,A360)."""
    if predecessors:
        document.PredecessorDocumentsSequence = [_predecessor(kept) for kept in predecessors]


def _predecessor(kept: KeptReport) -> Dataset:
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = kept.sop_class_uid
    instance.ReferencedSOPInstanceUID = kept.sop_instance_uid
    series.SeriesInstanceUID = kept.series_instance_uid
    series.ReferencedSOPSequence = [instance]
    study.StudyInstanceUID = kept.study_instance_uid
    study.ReferencedSeriesSequence = [series]
    return study


def finish(document: Dataset) -> Dataset:
    """Return the document with its file meta information."""
    document.file_meta = FileMetaDataset()
    document.file_meta.MediaStorageSOPClassUID = document.SOPClassUID
    document.file_meta.MediaStorageSOPInstanceUID = document.SOPInstanceUID
    document.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return document
