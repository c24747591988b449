import pytest
from obstore.exceptions import GenericError

from core.errors import NodeError, RecordNotFound
from dicom_node.errors import ObjectUnreadable, StorageAway
from dicom_node.storage.bucket_faults import named_bucket_faults


def error_of(fault: Exception) -> NodeError:
    with pytest.raises(NodeError) as raised, named_bucket_faults():
        raise fault
    return raised.value


@pytest.mark.parametrize(
    ("words", "kind", "named"),
    [
        ("404 Not Found: <Error><Code>NoSuchKey</Code></Error>", RecordNotFound, "No bytes"),
        ("<Error><Code>InvalidObjectState</Code></Error>", ObjectUnreadable, "InvalidObjectState"),
        ("<Error><Code>AccessDenied</Code></Error>", StorageAway, "AWS_ACCESS_KEY_ID"),
        ("<Error><Code>RequestTimeTooSkewed</Code></Error>", StorageAway, "NTP"),
        ("Server returned non-2xx status code: 403 Forbidden:", StorageAway, "AWS_ACCESS_KEY_ID"),
        ("PUT http://169.254.169.254/latest/api/token", StorageAway, "NoCredentials"),
        ("HTTP error: error sending request", StorageAway, "ARCUATE_STORAGE_ENDPOINT"),
    ],
)
def test_fault_of_an_object_store_is_named_by_its_code(
    words: str, kind: type[NodeError], named: str
) -> None:
    error = error_of(GenericError(words))

    assert type(error) is kind
    assert named in str(error)


def test_absence_that_nobody_said_is_an_outage() -> None:
    assert type(error_of(FileNotFoundError("404 Not Found"))) is StorageAway


def test_words_of_the_object_store_are_not_repeated() -> None:
    words = "<Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA</AWSAccessKeyId>"

    error = error_of(GenericError(words))

    assert "AKIA" not in str(error)
    assert error.__suppress_context__
