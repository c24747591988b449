"""The transfer syntaxes of messages that hold a few attributes."""

from typing import Final

from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

#: Not the deflated one: a few bytes of it inflate to gigabytes.
SMALL_MESSAGES: Final = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
