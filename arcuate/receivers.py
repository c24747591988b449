"""Several receivers on one port: one interpreter runs one thread at a time."""

from arcuate.role_logs import configure_role_logs
from arcuate.roles import Announce, Role, stop_when_asked
from arcuate.supervisor import Supervisor
from core.settings import Settings


def run_receivers(settings: Settings, announce: Announce, supervised: bool) -> None:
    """Run as many as the settings say, and start again what dies, until asked to stop.

    Raises
    ------
    RoleNotReady
        If one does not become ready; the others are stopped then.
    """
    configure_role_logs(settings, Role.RECEIVE)
    stopping = stop_when_asked(supervised)
    supervisor = Supervisor(settings, (Role.RECEIVE,))
    ports = supervisor.start()
    announce(ports[Role.RECEIVE], supervisor.dicom_tls_port)
    supervisor.watch(stopping)
