"""The JSON of the REST API: the field names are a contract with other people's programs."""
