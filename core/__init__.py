"""What every process agrees on: values, settings, errors, logs, database, tables and the ledger."""
