from datetime import UTC, datetime

import pytest

from dicom_node.delivery.targets.retry_after import asked_pause_seconds

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "Mon, 01 Jun 2026 12:10:00 GMT"}, 600.0),
        ({"retry-after": "Mon, 01 Jun 2026 11:10:00 GMT"}, 0.0),
        # The service's clock is an hour slow.
        (
            {
                "retry-after": "Mon, 01 Jun 2026 11:10:00 GMT",
                "date": "Mon, 01 Jun 2026 11:00:00 GMT",
            },
            600.0,
        ),
        ({"retry-after": "9" * 400}, 999_999_999.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "Mon, 01 Jun 2026 12:10:00 -0000"}, None),
    ],
)
def test_pause_is_what_the_header_says(headers: dict[str, str], pause: float | None) -> None:
    assert asked_pause_seconds(503, headers, lambda: NOON) == pause


@pytest.mark.parametrize(("status", "pause"), [(429, 5.0), (503, 5.0), (200, None), (302, None)])
def test_header_counts_where_a_service_is_busy(status: int, pause: float | None) -> None:
    assert asked_pause_seconds(status, {"retry-after": "5"}, lambda: NOON) == pause
