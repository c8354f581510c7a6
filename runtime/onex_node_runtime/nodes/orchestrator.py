# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""An orchestrator, whose workflows are asked for by requests alone."""

from __future__ import annotations

from ..adapters.group import AdaptersOrNone
from ..node_request import NodeRequest
from ..node_response import NodeResponse
from ..settings.node import NodeSettings
from .running import RunningNode


class RunningOrchestrator[
    RequestT: NodeRequest,
    ResponseT: NodeResponse,
    SettingsT: NodeSettings,
    AdaptersT: AdaptersOrNone,
](RunningNode[RequestT, ResponseT, SettingsT, AdaptersT]):
    """An orchestrator between its start and its end."""
