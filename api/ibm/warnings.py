"""What every answer with numbers says beside them."""

from typing import Final

from core.values.prediction import ESTIMATE_NOTICE

#: Where that API has a place for words to people.
WARNINGS: Final = [{"id": "estimate", "message": ESTIMATE_NOTICE}]
