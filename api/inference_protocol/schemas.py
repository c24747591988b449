"""What the protocol sends, as JSON (Open Inference Protocol, REST)."""

from typing import Any

from pydantic import BaseModel, Field

#: Whatever a client or a server says beside: `binary_data_size` of a tensor, for one.
Parameters = dict[str, Any]


class ServerOut(BaseModel):
    """What answers here."""

    name: str = Field(examples=["arcuate"])
    version: str
    extensions: list[str] = Field(examples=[["binary_tensor_data"]])


class LiveOut(BaseModel):
    """Whether the process lives."""

    live: bool


class ReadyOut(BaseModel):
    """Whether requests can be answered."""

    ready: bool


class ModelReadyOut(BaseModel):
    """Whether a model can be asked."""

    name: str
    ready: bool


class ModelsOut(BaseModel):
    """The names of the models that can be asked."""

    models: list[str]


class TensorOut(BaseModel):
    """One input or output of a model; -1 stands for the number of eyes."""

    name: str = Field(examples=["profile"])
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(examples=[[-1, 768, 1]])


class ModelMetadataOut(BaseModel):
    """What a model reads and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorOut]
    outputs: list[TensorOut]
    parameters: Parameters = Field(
        description="`digest` of the weights, `unit` of the outputs, `estimated`, and the model's "
        "own `notice`.",
    )


class InputIn(BaseModel):
    """A tensor that is sent; without `data`, its bytes follow the JSON."""

    name: str
    shape: list[int]
    datatype: str
    parameters: Parameters = Field(default_factory=dict)
    data: list[Any] | None = None


class RequestedOutputIn(BaseModel):
    """An output that is asked for."""

    name: str
    parameters: Parameters = Field(default_factory=dict)


class InferIn(BaseModel):
    """A question: a tensor for each input of the model; without `outputs` it gives all."""

    id: str | None = None
    parameters: Parameters = Field(default_factory=dict)
    inputs: list[InputIn]
    outputs: list[RequestedOutputIn] | None = None


class InferredTensorOut(BaseModel):
    """A tensor that the model gave; without `data`, its bytes follow the JSON."""

    name: str
    shape: list[int]
    datatype: str
    parameters: Parameters | None = None
    data: list[float] | None = None


class InferOut(BaseModel):
    """The answer."""

    # Its names begin as those of Pydantic itself.
    model_config = {"protected_namespaces": ()}

    model_name: str
    model_version: str
    id: str | None = None
    parameters: Parameters = Field(description="`estimated`, and the `unit` of the outputs.")
    outputs: list[InferredTensorOut]


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """Return a schema without references, for a body that the framework does not read itself."""
    schema = model.model_json_schema()
    return _inline(schema, schema.pop("$defs", {}))


def _inline(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return resolved(definitions[value["$ref"].rpartition("/")[2]])
        return {key: resolved(entry) for key, entry in value.items()}

    return {key: resolved(value) for key, value in schema.items()}
