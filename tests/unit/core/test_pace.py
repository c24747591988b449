from core.pace import SLOWEST_BYTES_PER_SECOND, Pace

MINUTE = 60.0


def test_silence_uses_the_patience_up() -> None:
    pace = Pace(MINUTE)
    pace.count(0, 45)
    assert pace.left_seconds == 15
    pace.count(0, 45)
    assert pace.left_seconds == 0


def test_a_slow_line_is_waited_for_to_the_end_of_the_largest_object() -> None:
    pace = Pace(MINUTE)
    for _ in range(1 << 13):
        pace.count(131_072, 131_072 / (1.01 * SLOWEST_BYTES_PER_SECOND))
    assert pace.left_seconds > MINUTE


def test_a_trickle_ends() -> None:
    # The largest PDU we offer, once a minute.
    pace, minutes = Pace(MINUTE), 0
    while pace.left_seconds:
        pace.count(131_072, MINUTE)
        minutes += 1
    assert minutes == 3


def test_a_new_message_is_met_with_fresh_patience() -> None:
    pace = Pace(MINUTE)
    pace.count(0, 100)
    pace.begin()
    assert pace.left_seconds == MINUTE
