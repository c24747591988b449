"""One role in several processes: receivers on one port, workers on a GPU each."""

from collections.abc import Mapping, Sequence

from arcuate.role_logs import configure_role_logs
from arcuate.roles import Announce, Role, stop_when_asked
from arcuate.supervisor import Supervisor
from core.settings import Settings


def run_several(
    role: Role,
    settings: Settings,
    announce: Announce,
    supervised: bool,
    workers: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """Run as many as the settings say, and start again what dies, until asked to stop.

    Parameters
    ----------
    workers
        As `Supervisor` takes them.

    Raises
    ------
    RoleNotReady
        If one does not become ready; the others are stopped then.
    """
    configure_role_logs(settings, role)
    stopping = stop_when_asked(supervised)
    supervisor = Supervisor(settings, (role,), workers)
    ports = supervisor.start()
    announce(ports[role], supervisor.dicom_tls_port)
    supervisor.watch(stopping)
