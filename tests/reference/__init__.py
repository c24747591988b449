"""The pages of the manual that are written from the code: `python -m tests.reference`."""
