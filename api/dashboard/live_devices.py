"""The devices a reader may choose one of."""

from sqlalchemy import select
from sqlmodel import Session, col

from core.tables.sightings import DeviceRow


def device_choices(session: Session) -> list[tuple[str, str]]:
    """Return maker and model of every device that sent, as `LiveFilter.device` and for people."""
    maker, model = col(DeviceRow.manufacturer), col(DeviceRow.model)
    known = session.execute(select(maker, model).distinct().order_by(maker, model)).all()
    return [(f"{maker}\\{model}", f"{maker} {model}".strip()) for maker, model in known if model]
