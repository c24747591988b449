import sys
from pathlib import Path

import pytest

from core.errors import SettingsInvalid
from core.settings import Settings
from dicom_node.storage.bytes import Storage
from dicom_node.storage.opening import open_described, open_storage


def test_folder_is_opened_by_what_it_says_of_itself(tmp_path: Path) -> None:
    storage = open_storage(Settings(home=tmp_path))
    storage.put("ab/abc.dcm", b"one")

    again = open_described(**storage.describe())

    assert type(again) is Storage
    assert again.read("ab/abc.dcm") == b"one"


def test_bucket_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("dicom_node.storage.bucket")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)

    with pytest.raises(SettingsInvalid, match=r"requirements/s3\.lock"):
        open_storage(Settings(home=tmp_path, storage_url="s3://scans"))
