"""What annotations of Python mean in the language of contracts: types, and what bounds them."""

from collections.abc import Mapping
from typing import Any

SCALARS: Mapping[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "StrictStr": {"type": "string"},
    "int": {"type": "integer"},
    "StrictInt": {"type": "integer"},
    "PositiveInt": {"type": "integer", "minimum": 1},
    "NonNegativeInt": {"type": "integer", "minimum": 0},
    "NegativeInt": {"type": "integer", "maximum": -1},
    "NonPositiveInt": {"type": "integer", "maximum": 0},
    "float": {"type": "number"},
    "StrictFloat": {"type": "number"},
    "FiniteFloat": {"type": "number"},
    "PositiveFloat": {"type": "number", "exclusiveMinimum": 0},
    "NonNegativeFloat": {"type": "number", "minimum": 0},
    "bool": {"type": "boolean"},
    "StrictBool": {"type": "boolean"},
    "UUID": {"type": "uuid"},
    **{f"UUID{version}": {"type": "uuid"} for version in range(1, 9)},
    "datetime": {"type": "datetime"},
    "AwareDatetime": {"type": "datetime", "format": "offset"},
    "NaiveDatetime": {"type": "datetime"},
    "PastDatetime": {"type": "datetime"},
    "FutureDatetime": {"type": "datetime"},
    "date": {"type": "date"},
    "time": {"type": "time"},
    "timedelta": {"type": "duration"},
    "Decimal": {"type": "decimal"},
    "bytes": {"type": "bytes"},
    "StrictBytes": {"type": "bytes"},
    "EmailStr": {"type": "string", "format": "email"},
    "IPv4Address": {"type": "string", "format": "ipv4"},
    "IPv6Address": {"type": "string", "format": "ipv6"},
    "SecretStr": {"type": "string", "secret": True},
    "SecretBytes": {"type": "bytes", "secret": True},
    "Path": {"type": "string"},
    "PurePath": {"type": "string"},
    "FilePath": {"type": "string"},
    "DirectoryPath": {"type": "string"},
    **{
        name: {"type": "string", "format": "uri"}
        for name in ("HttpUrl", "AnyUrl", "AnyHttpUrl", "PostgresDsn", "RedisDsn")
    },
    "complex": {"type": "string"},
}
ANY = frozenset(
    {"Any", "object", "JsonValue", "JsonType", "Json", "BaseModel", "dict", "Dict", "Mapping", "MutableMapping"}
)
ARRAYS = frozenset(
    {"list", "List", "tuple", "Tuple", "Sequence", "MutableSequence", "Iterable", "Collection", "deque", "conlist"}
)
SETS = frozenset({"set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"})
MAPS = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"})
TRANSPARENT = frozenset({"Final", "Required", "ReadOnly", "Strict", "Type", "type", "NotRequired"})
RECORDS = frozenset({"BaseModel", "RootModel", "TypedDict", "NamedTuple", "BaseSettings"})
ENUMS = frozenset({"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"})
BOUNDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "regex": "pattern",
}
LENGTHS = {"string": "Length", "bytes": "Length", "array": "Items", "object": "Properties"}
NUMBERS = frozenset({"integer", "number", "decimal"})
