"""Documents: what was measured and coded stays, what people wrote goes."""

from typing import Any

from pydicom import Dataset

from dicom_node.deidentification.options import Option
from tests.builders.identified import assert_names_nobody, deidentified, identified


def _code(value: str, scheme: str = "DCM") -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, "Meaning"
    return item


def _item(value_type: str, concept: str, **values: Any) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", value_type
    item.ConceptNameCodeSequence = [_code(concept)]
    item.update(values)
    return item


def _number(concept: str, value: str, unit: str) -> Dataset:
    measured = Dataset()
    measured.MeasurementUnitsCodeSequence = [_code(unit, "UCUM")]
    measured.NumericValue, measured.FloatingPointValue = value, float(value)
    return _item("NUM", concept, MeasuredValueSequence=[measured])


def _document() -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
    reference.ReferencedSOPInstanceUID = "1.2.840.99999.7.3"
    verifier = Dataset()
    verifier.VerifyingObserverName, verifier.VerifyingOrganization = "Drsmith^Jo", "Hospital-X"
    verifier.VerificationDateTime = "20240320101500"
    verifier.VerifyingObserverIdentificationCodeSequence = [_code("Drsmith", "99LOCAL")]
    return identified(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33",
        PixelData=None,
        Rows=None,
        VerifyingObserverSequence=[verifier],
        ContentSequence=[
            _item("PNAME", "121008", PersonName="Drsmith^Jo"),
            _item("TEXT", "121013", TextValue="Device of Hospital-X"),
            _item("TEXT", "121106", TextValue="Mrs Okonkwo sees badly"),
            _item("UIDREF", "121012", UID="1.2.840.99999.7.9"),
            _item("DATE", "122165", Date="20240320"),
            _item("CODE", "121032", ConceptCodeSequence=[_code("F")]),
            _number("121033", "93", "a"),
            _number("R-1", "27.5", "dB"),
            _item("IMAGE", "111", ReferencedSOPSequence=[reference]),
            _item("CONTAINER", "126010", ContentSequence=[_item("TEXT", "1", TextValue="Okonkwo")]),
        ],
    )


def test_document_keeps_what_is_measured_and_coded() -> None:
    cleaned = deidentified(_document())

    concepts = [i.ConceptNameCodeSequence[0].CodeValue for i in cleaned.ContentSequence]
    assert concepts == ["121012", "122165", "R-1", "111", "126010"]
    image = cleaned.ContentSequence[3].ReferencedSOPSequence[0]
    assert image.ReferencedSOPInstanceUID == cleaned.SOPInstanceUID
    assert "ContentSequence" not in cleaned.ContentSequence[4]
    assert cleaned.ContentSequence[1].Date == "19000101"
    assert cleaned.DeidentificationMethodCodeSequence[-1].CodeValue == "113104"
    assert_names_nobody(cleaned)


def test_age_and_sex_stay_by_option_and_end_at_ninety() -> None:
    cleaned = deidentified(_document(), Option.PATIENT_CHARACTERISTICS)

    (age,) = [
        i for i in cleaned.ContentSequence if i.ConceptNameCodeSequence[0].CodeValue == "121033"
    ]
    assert age.MeasuredValueSequence[0].NumericValue == 90
    assert "FloatingPointValue" not in age.MeasuredValueSequence[0]
    concepts = [i.ConceptNameCodeSequence[0].CodeValue for i in cleaned.ContentSequence]
    assert "121032" in concepts
    assert_names_nobody(cleaned)


def test_verifier_is_nobody_but_verified_stays_verified() -> None:
    (verifier,) = deidentified(_document()).VerifyingObserverSequence

    assert (verifier.VerifyingObserverName, verifier.VerifyingOrganization) == (
        "Removed",
        "Removed",
    )
    assert verifier.VerifyingObserverIdentificationCodeSequence == []
