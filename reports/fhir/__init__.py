"""A prediction in FHIR R4, as plain JSON values."""
