# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Types of settings, with the bounds that hold for all settings of a kind."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

Port = Annotated[int, Field(ge=0, le=65535)]
KnownPort = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
CountOrNone = Annotated[int, Field(ge=0)]
# Less would not hold headers.
MessageBytes = Annotated[int, Field(ge=1000)]
Seconds = Annotated[float, Field(gt=0)]
SecondsOrNone = Annotated[float, Field(ge=0)]
# Consul takes no less.
Patience = Annotated[float, Field(ge=60)]
PathOrNone = Path | None
SecretOrNone = SecretStr | None
Share = Annotated[float, Field(ge=0, le=1)]
Growth = Annotated[float, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Skew = Annotated[float, Field(ge=0, le=300)]
# Those whose keys differ for who signs and who checks: none, and HMAC, are not among them.
Algorithms = Annotated[
    tuple[
        Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
        ...,
    ],
    Field(min_length=1),
]
KafkaProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["json", "text"]
NodeTransport = Literal["auto", "in_process", "event_bus"]
TraceExporter = Literal["otlp", "console", "none"]
