"""How a network is kept, told by its content and its name."""

from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile, is_zipfile

from inference.errors import ModelDamaged
from inference.model_card import ModelFormat

#: Reading a pickle runs whatever code it holds; nothing inside could be looked at first.
_PICKLE: Final = (
    "is a pickle, which can run any code when it is read. Ask its makers for a .keras file, a "
    "SavedModel or an ONNX file"
)
_HDF5: Final = (
    "is in the older HDF5 format, which can hold Python code. Open it where it was made, with the "
    "Keras that made it, and save it as .keras"
)
_REFUSED_BY_NAME: Final = {
    **dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin"), _PICKLE),
    **dict.fromkeys((".h5", ".hdf5"), _HDF5),
}
#: The protocols of pickle from 2 on, by their first two bytes.
_PICKLE_STARTS: Final = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_HDF5_START: Final = b"\x89HDF\r\n\x1a\n"


def weights_format(weights: Path) -> ModelFormat:
    """Return how the network at that path is kept; nothing of it is run.

    Raises
    ------
    ModelDamaged
        If it is none that is read, or one that cannot be read safely.
    """
    refusal = _REFUSED_BY_NAME.get(weights.suffix.lower())
    if refusal is None and weights.is_dir():
        return _format_of_folder(weights)
    try:
        refusal = refusal or _refusal_by_content(weights)
    except (OSError, BadZipFile) as error:
        raise ModelDamaged(f"{weights.name} cannot be read: {error}. Install it again.") from error
    if refusal is not None:
        raise ModelDamaged(f"{weights.name} {refusal}.")
    return ModelFormat.KERAS if is_zipfile(weights) else ModelFormat.ONNX


def _format_of_folder(folder: Path) -> ModelFormat:
    if (folder / "saved_model.pb").is_file():
        return ModelFormat.SAVEDMODEL
    raise ModelDamaged(
        f"The folder {folder.name} holds no saved_model.pb: it is no TensorFlow SavedModel. Export "
        "the model again."
    )


def _refusal_by_content(weights: Path) -> str | None:
    with weights.open("rb") as file:
        start = file.read(len(_HDF5_START))
    if start == _HDF5_START:
        return _HDF5
    if start.startswith(_PICKLE_STARTS):
        return _PICKLE
    if is_zipfile(weights):
        return _refusal_of_archive(weights)
    if weights.suffix.lower() != ".onnx":
        return "is not a network that is read: give a .keras file, a SavedModel or an .onnx file"
    return None


def _refusal_of_archive(weights: Path) -> str | None:
    with ZipFile(weights) as archive:
        names = archive.namelist()
    if any(name.lower().endswith((".pkl", ".pickle")) for name in names):
        return _PICKLE
    if not {"config.json", "model.weights.h5"} <= set(names):
        return "is an archive, but not a network that Keras saved. Save it as .keras again"
    return None
