"""The audit trail as DICOM audit messages, sent to a syslog collector (PS3.15 A.5, A.6)."""
