"""The audit trail: who saw or changed which patient's what, append-only, chained by hashes."""
