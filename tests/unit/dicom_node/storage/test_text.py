import pytest

from dicom_node.storage.text import decode_text


@pytest.mark.parametrize(
    ("value", "character_sets", "text"),
    [
        (b"P1 ", [""], "P1"),
        (b"P1\x00", [""], "P1"),
        ("Müller".encode("latin-1"), ["ISO_IR 100"], "Müller"),
        ("Müller".encode("latin-1"), [], "Müller"),
        ("Müller".encode(), ["ISO_IR 192"], "Müller"),
        ("王^小东".encode("gb18030"), ["GB18030"], "王^小东"),
        ("Люкceмбypг".encode("iso8859_5"), ["ISO_IR 144"], "Люкceмбypг"),
        (
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
            ["", "ISO 2022 IR 87"],
            "Yamada^Tarou=山田^太郎",
        ),
        (b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce", ["", "ISO 2022 IR 149"], "Hong=洪^吉"),
        (b"Zhang=\x1b$)A\xd5\xc5", ["", "ISO 2022 IR 58"], "Zhang=张"),
        ("Müller".encode("latin-1"), ["ISO_IR 192"], "M\ufffdller"),
        ("Müller".encode("latin-1"), ["no such set"], "Müller"),
        (b"\x1b\x1b$B\xff\xff", ["ISO 2022 IR 87"], "\ufffd\ufffd"),
        (b"a\x07b\r\nc", [""], "abc"),
    ],
)
def test_text_is_decoded_for_display(value: bytes, character_sets: list[str], text: str) -> None:
    assert decode_text(value, character_sets) == text


def test_identities_in_a_wrong_character_set_stay_apart() -> None:
    first, second = (
        decode_text(value, ["ISO_IR 192"], "backslashreplace") for value in (b"P\xe4", b"P\xe5")
    )

    assert (first, second) == (r"P\xe4", r"P\xe5")
