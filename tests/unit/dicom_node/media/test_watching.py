import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from core.tables.instances import InstanceRow
from core.tables.quarantine import QuarantineRow
from dicom_node.errors import StorageFull
from dicom_node.media import watching
from dicom_node.media.places import Places
from dicom_node.media.sightings import CLAIMED
from dicom_node.media.taking import Readable, Taken, take_file
from dicom_node.media.watching import RETRY_SECONDS, FolderWatch
from dicom_node.storage.archive import Archive
from tests.builders.encoded_instance import as_file, encode_instance
from tests.builders.medium import write_media_directory
from tests.fixtures.audit_trail import audited, told

SETTLE, PATIENCE, KEEP_DAYS = 5.0, 600.0, 7
#: As devices name their exports.
NAME = "DOE^JANE_19580301_OD.dcm"


class Now:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> datetime:
        return datetime(2026, 3, 4, tzinfo=UTC) + timedelta(seconds=self.seconds)


@dataclass
class Watched:
    """A watched folder."""

    archive: Archive
    folder: Path
    now: Now
    watch: FolderWatch
    threads: ThreadPoolExecutor

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def turn(self, *seconds: float) -> None:
        """Look at once, and again after each of these times."""
        self.watch.turn(self.threads)
        for pause in seconds:
            self.now.seconds += pause
            self.watch.turn(self.threads)

    @property
    def kept(self) -> list[str]:
        with self.archive.database.reading() as session:
            return sorted(session.exec(select(InstanceRow.sop_instance_uid)).all())

    @property
    def quarantined(self) -> list[tuple[str, str]]:
        with self.archive.database.reading() as session:
            rows = session.exec(select(QuarantineRow)).all()
            return [(row.code, row.calling_ae_title) for row in rows]

    def files(self, kind: str = "") -> list[str]:
        """Names below a folder of ours; of none, what lies elsewhere."""
        if kind:
            return sorted(path.name for path in (self.folder / kind).glob("*/*"))
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if path.parts[0] not in {"taken", "refused"})


def build(archive: Archive, folder: Path, threads: ThreadPoolExecutor, now: Now) -> Watched:
    watch = FolderWatch(
        archive, folder, SETTLE, PATIENCE, KEEP_DAYS, clock=now.time, monotonic=now.monotonic
    )
    return Watched(archive, folder, now, watch, threads)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def watched(archive: Archive, tmp_path: Path, threads: ThreadPoolExecutor) -> Watched:
    folder = tmp_path / "share"
    folder.mkdir()
    return build(archive, folder, threads, Now())


def scan(number: int = 1, **attributes: object) -> bytes:
    uid = f"1.2.3.1.1.{number}"
    return as_file(encode_instance(SOPInstanceUID=uid, PixelData=bytes(2000), **attributes))


def test_a_file_is_taken_in_once_it_has_not_changed_for_a_while(watched: Watched) -> None:
    watched.put(f"device/export/{NAME}", scan())

    watched.turn(SETTLE - 1)
    before = watched.kept
    watched.turn(1)

    assert (before, watched.kept) == ([], ["1.2.3.1.1.1"])
    assert watched.files() == []
    assert watched.files("taken") == [f"{sha256(scan()).hexdigest()}.dcm"]


def test_what_is_taken_in_leaves_an_entry_for_each_turn(watched: Watched) -> None:
    watched.put("a.dcm", scan(1))
    watched.put("b.dcm", scan(2, PatientID=""))
    watched.turn(0, SETTLE, SETTLE)

    [row] = audited(watched.archive.database)
    assert told(row) == ("arcuate", "store", "study", "1.2.3.1", [1], "success")
    studies = {"studies": ["1.2.3.1"], "count": 1, "refused": 1}
    assert row.detail == {"service": "watched folder", **studies}


def test_a_file_that_is_still_written_is_waited_for(watched: Watched) -> None:
    content = scan()
    for end in (100, 600, len(content) - 1):
        watched.put(NAME, content[:end])
        watched.turn(SETTLE, SETTLE, 100)
    assert (watched.kept, watched.quarantined) == ([], [])

    watched.put(NAME, content)
    watched.turn(SETTLE)

    assert (watched.kept, watched.quarantined, watched.files()) == (["1.2.3.1.1.1"], [], [])


def test_a_file_that_is_written_to_while_it_is_read_is_kept_only_as_it_ends(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that fills a file whose length it has set before."""
    whole = as_file(encode_instance())
    os.utime(watched.put(NAME, whole[:-4] + bytes(4)), (1, 1))

    def take(archive: Archive, reader: Readable, path: Path, sender: str) -> Taken:
        [claimed] = (watched.folder / CLAIMED).iterdir()
        claimed.write_bytes(whole)
        return take_file(archive, reader, path, sender)

    with monkeypatch.context() as patched:
        patched.setattr(watching, "take_file", take)
        watched.turn(SETTLE)
    assert watched.kept == []

    watched.turn(SETTLE)

    assert len(watched.kept) == 1
    assert watched.quarantined == []
    assert watched.files("taken") == [f"{sha256(whole).hexdigest()}.dcm"]


def test_a_file_that_stays_cut_off_is_refused_with_its_cause_and_stops_nobody(
    watched: Watched,
) -> None:
    watched.put(NAME, scan()[:-1])
    watched.turn(SETTLE)
    watched.put("other.dcm", scan(2))

    watched.turn(SETTLE, PATIENCE - 2 * SETTLE - 1)
    before = watched.quarantined
    watched.turn(SETTLE)

    assert (before, watched.kept) == ([], ["1.2.3.1.1.2"])
    assert watched.quarantined == [("instance_invalid", "watched folder")]
    digest = sha256(scan()[:-1]).hexdigest()
    assert watched.files("refused") == [f"{digest}.dcm", f"{digest}.txt"]
    [cause] = (watched.folder / "refused").glob("*/*.txt")
    assert cause.read_text().split(" ", 1)[1] == "The data set is cut off\n"


def test_what_is_no_dicom_is_refused_and_what_programs_leave_is_left_alone(
    watched: Watched,
) -> None:
    left = [".DS_Store", "Thumbs.db", "device/~lock", "device/scan.dcm.part"]
    for name in left:
        watched.put(name, b"x")
    watched.put("report.pdf", b"%PDF-1.4")
    watched.put("empty.dcm", b"")

    watched.turn(SETTLE, PATIENCE)

    assert watched.files() == sorted(left)
    assert watched.quarantined == [("file_refused", "watched folder")] * 2
    assert len(watched.files("refused")) == 4


def test_a_file_that_gets_its_name_when_it_is_whole_is_taken_in(watched: Watched) -> None:
    path = watched.put("scan.part", scan())
    watched.turn(SETTLE)

    path.rename(path.with_suffix(".dcm"))
    watched.turn(SETTLE)

    assert (watched.kept, watched.files()) == (["1.2.3.1.1.1"], [])


def test_a_medium_is_taken_in_with_its_directory(watched: Watched) -> None:
    watched.put("cd/IMAGES/A", scan(1))
    watched.put("cd/IMAGES/B", scan(2))
    write_media_directory(watched.folder / "cd", [["IMAGES", "A"], ["IMAGES", "B"]])

    watched.turn(SETTLE)

    assert (watched.kept, watched.files()) == (["1.2.3.1.1.1", "1.2.3.1.1.2"], [])
    assert (watched.quarantined, len(watched.files("taken"))) == ([], 3)


def test_the_same_again_is_no_new_work_and_other_content_is_refused(watched: Watched) -> None:
    watched.put("first.dcm", scan())
    watched.turn(SETTLE)

    watched.put("again.dcm", scan())
    watched.put("changed.dcm", scan(StudyDescription="changed"))
    watched.turn(SETTLE)

    assert (watched.kept, watched.files()) == (["1.2.3.1.1.1"], [])
    assert watched.quarantined == [("instance_conflict", "watched folder")]
    assert [len(watched.files(kind)) for kind in ("taken", "refused")] == [1, 2]


def test_a_class_that_is_not_taken_is_refused_and_listed(watched: Watched) -> None:
    watched.put("ct.dcm", scan(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))

    watched.turn(SETTLE)

    assert watched.kept == []
    assert watched.quarantined == [("sop_class_not_supported", "watched folder")]


def test_no_name_a_device_gave_stands_in_logs_or_names(watched: Watched) -> None:
    with capture_logs() as logs:
        watched.put(NAME, scan())
        watched.put(f"DOE/{NAME}", b"%PDF")
        (watched.folder / f"{NAME}.link").symlink_to("/nowhere")
        watched.turn(SETTLE, PATIENCE)

    assert len(logs) >= 2
    assert "DOE" not in str(logs)
    names = [str(path) for kind in ("taken", "refused") for path in watched.files(kind)]
    assert (len(names), "DOE" in str(names)) == (3, False)


def test_links_and_pipes_are_left_alone(watched: Watched, tmp_path: Path) -> None:
    outside = tmp_path / "outside.dcm"
    outside.write_bytes(scan())
    (watched.folder / "link.dcm").symlink_to(outside)
    os.mkfifo(watched.folder / "pipe.dcm")

    watched.turn(SETTLE, PATIENCE)

    assert (watched.kept, outside.exists()) == ([], True)


def test_a_folder_that_goes_away_is_told_once_and_comes_back(watched: Watched) -> None:
    away = watched.folder.with_name("unmounted")
    watched.folder.rename(away)
    with capture_logs() as logs:
        watched.turn(SETTLE, SETTLE)
        away.rename(watched.folder)
        watched.put(NAME, scan())
        watched.turn(SETTLE)

    events = [log["event"] for log in logs if log["event"].startswith("watch_folder")]
    assert events == ["watch_folder_away", "watch_folder_back"]
    assert watched.kept == ["1.2.3.1.1.1"]


def test_with_a_full_disk_files_wait(watched: Watched) -> None:
    path = watched.put(NAME, scan())
    full = replace(watched.archive, minimum_free_bytes=1 << 62)
    waiting = build(full, watched.folder, watched.threads, watched.now)

    with pytest.raises(StorageFull):
        waiting.turn(SETTLE)

    assert not path.exists()
    watched.turn(SETTLE)
    assert (watched.kept, watched.files()) == (["1.2.3.1.1.1"], [])


def test_a_folder_for_reading_only_is_read_once(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_places: Places, _path: Path) -> Path:
        # The tests may run as root, whom no permission stops.
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Places, "claim", refuse)
    watched.put(NAME, scan())
    with capture_logs() as logs:
        watched.turn(SETTLE, 10 * RETRY_SECONDS)

    assert (watched.kept, watched.files()) == (["1.2.3.1.1.1"], [NAME])
    assert [log["event"] for log in logs if log["event"] == "watch_file_stays"] == [
        "watch_file_stays"
    ]


def test_a_file_that_cannot_be_read_is_told_and_tried_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.put(NAME, scan())
    with monkeypatch.context() as broken, capture_logs() as logs:

        def fail(*_arguments: object) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        broken.setattr("dicom_node.media.whole.os.pread", fail)
        watched.turn(SETTLE, 1, 1)
    assert [log["cause"] for log in logs] == ["Input/output error"]

    watched.turn(RETRY_SECONDS)

    assert (watched.kept, watched.files()) == (["1.2.3.1.1.1"], [])


def test_a_file_that_breaks_our_reading_holds_up_no_other(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise ZeroDivisionError(NAME)

    watched.put(NAME, scan())
    watched.put("other.dcm", b"%PDF")
    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr("dicom_node.media.watching.take_file", fail)
        watched.turn(SETTLE, PATIENCE)

    assert ("ZeroDivisionError" in str(logs), "DOE" in str(logs)) == (True, False)
    assert watched.quarantined == [("file_refused", "watched folder")]
    watched.turn(SETTLE, RETRY_SECONDS)
    assert watched.kept == ["1.2.3.1.1.1"]


def test_who_was_killed_between_two_steps_is_followed_by_one_who_ends_them(
    watched: Watched,
) -> None:
    claimed = watched.put(".taking/0123456789abcdef", scan())
    watched.put(".taking/half", scan(2)[:-1])

    watched.turn(SETTLE, PATIENCE)

    assert (watched.kept, claimed.exists(), watched.files()) == (["1.2.3.1.1.1"], False, [])
    assert [len(watched.files(kind)) for kind in ("taken", "refused")] == [1, 2]


def test_two_watch_the_same_folder_without_harm(watched: Watched) -> None:
    for number in range(40):
        watched.put(f"{number}.dcm", scan(number + 1))
    for number in range(5):
        watched.put(f"junk{number}", b"junk" * (number + 1))
    other = build(watched.archive, watched.folder, watched.threads, watched.now)
    watched.turn()
    other.turn()
    watched.now.seconds += SETTLE
    with ThreadPoolExecutor(8) as more, ThreadPoolExecutor(2) as both:
        for _ in range(4):
            list(both.map(lambda one: one.watch.turn(more), (watched, other)))
            watched.now.seconds += PATIENCE

    assert (len(watched.kept), watched.files()) == (40, [])
    assert watched.quarantined == [("file_refused", "watched folder")] * 5
    assert [len(watched.files(kind)) for kind in ("taken", "refused")] == [40, 10]


def test_what_was_taken_goes_after_some_days(watched: Watched) -> None:
    watched.put(NAME, scan())
    watched.turn(SETTLE)
    foreign = watched.put("taken/2020-01-01/notes.txt", b"mine")
    old = watched.put(f"taken/2020-01-01/{'0' * 64}.dcm", scan())

    watched.turn(3700)
    assert (old.exists(), foreign.exists(), len(watched.files("taken"))) == (False, True, 2)

    watched.turn((KEEP_DAYS + 1) * 86400)
    assert watched.files("taken") == ["notes.txt"]
    assert watched.kept == ["1.2.3.1.1.1"]


def test_kept_for_no_days_it_goes_at_once(
    archive: Archive, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    now, folder = Now(), tmp_path / "share"
    folder.mkdir()
    watch = FolderWatch(archive, folder, SETTLE, PATIENCE, 0, now.time, now.monotonic)
    watched = Watched(archive, folder, now, watch, threads)
    watched.put(NAME, scan())

    watched.turn(SETTLE)

    assert (watched.kept, [path for path in folder.rglob("*") if path.is_file()]) == (
        ["1.2.3.1.1.1"],
        [],
    )
