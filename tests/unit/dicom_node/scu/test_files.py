from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from dicom_node.calling_errors import PathUnreadable
from dicom_node.scu.files import read_file_to_send
from tests.builders.encoded_instance import as_file, encode_instance


def test_a_dicom_file_says_how_to_send_it(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(as_file(encode_instance()))

    file = read_file_to_send(path)

    assert (file.sop_instance_uid, file.transfer_syntax_uid) == (
        "1.2.3.1.1.1",
        ExplicitVRLittleEndian,
    )


@pytest.mark.parametrize("content", [b"", b"not DICOM", b"\x00" * 128 + b"DICM"])
def test_another_file_cannot_be_sent(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)

    with pytest.raises(PathUnreadable):
        read_file_to_send(path)
