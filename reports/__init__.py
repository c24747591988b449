"""One prediction as a structured report and a picture."""
