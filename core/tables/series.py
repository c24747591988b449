"""Series."""

from sqlmodel import Field, SQLModel


class SeriesRow(SQLModel, table=True):
    """A series; attributes as its first instance gave them."""

    __tablename__ = "series"

    id: int | None = Field(default=None, primary_key=True)
    study_key: int = Field(foreign_key="studies.id", index=True)
    series_instance_uid: str = Field(unique=True)
    modality: str = ""
    series_number: str = ""
    series_description: str = ""
    laterality: str = ""
    manufacturer: str = ""
    manufacturer_model_name: str = ""
    device_serial_number: str = ""
