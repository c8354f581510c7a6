# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Whether spans are made, how many are kept, and who takes them."""

from pydantic import Field

from .node import NodeSettings
from .types import Share, TraceExporter


class TracingSettings(NodeSettings):
    """Whether spans are made, how many are kept, and who takes them."""

    tracing_enabled: bool = Field(default=True, description="Make spans.")
    tracing_exporter: TraceExporter = Field(
        default="otlp", description="Who takes spans; otlp is OpenTelemetry's protocol over HTTP."
    )
    tracing_sample_rate: Share = Field(default=1.0, description="Which part of the traces that begin here is kept.")
