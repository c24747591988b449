"""Serves the messages of one association: stores and queries here, the others by pynetdicom."""

from dicom_node.receive.connection import Connection
from dicom_node.receive.find_receiver import FindReceiver
from dicom_node.receive.store_receiver import StoreReceiver


class Reader:
    """What reads one association in data transfer."""

    def __init__(
        self, connection: Connection, stores: StoreReceiver, queries: FindReceiver
    ) -> None:
        self._connection = connection
        self._stores = stores
        self._queries = queries

    @property
    def has_unread(self) -> bool:
        """Whether a PDU waits here that the socket does not tell of."""
        return self._connection.has_unread

    def serve(self) -> list[bytes]:
        """Serve until a PDU comes that is not ours, or none for a while; return what is not ours.

        Raises
        ------
        Interrupted, ConnectionBroken, PeerGone
            If the association must end, or has.
        MalformedPDU, ProtocolViolated
            If the peer does not keep to the protocol.
        """
        while pdus := self._stores.serve():
            if left := self._queries.take(pdus):
                return left
        return []
