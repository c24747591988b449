"""The REST API by patient, study and prediction."""
