"""How this implementation names itself in files and associations (PS3.7 D.3.3.2)."""

from typing import Final

#: UUID-derived (PS3.5 B.2), drawn once: it names this implementation and never changes.
IMPLEMENTATION_CLASS_UID: Final = "2.25.300716658854532761017991783763775428571"
#: At most 16 characters.
IMPLEMENTATION_VERSION_NAME: Final = "ARCUATE"
