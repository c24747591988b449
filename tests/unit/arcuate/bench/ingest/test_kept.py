from hashlib import sha256
from pathlib import Path

from arcuate.bench.ingest.kept import digests_of_files
from tests.builders.encoded_instance import as_file, encode_instance


def test_digest_is_of_the_data_set_alone(tmp_path: Path) -> None:
    encoded = encode_instance(SOPInstanceUID="1.2.3")
    path = tmp_path / "kept.dcm"
    path.write_bytes(as_file(encoded))

    assert digests_of_files([path]) == {"1.2.3": sha256(encoded.data_set).hexdigest()}


def test_instance_kept_twice_is_seen(tmp_path: Path) -> None:
    first, second = tmp_path / "1.dcm", tmp_path / "2.dcm"
    for path in (first, second):
        path.write_bytes(as_file(encode_instance(SOPInstanceUID="1.2.3")))

    assert set(digests_of_files([first, second])) == {"1.2.3", str(second)}


def test_file_that_is_no_dicom_stands_under_its_path(tmp_path: Path) -> None:
    path = tmp_path / "half"
    path.write_bytes(b"half an instance")

    assert digests_of_files([path]) == {str(path): "unreadable"}
