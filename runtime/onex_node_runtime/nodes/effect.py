# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""An effect node that takes ONEX's inputs of effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, override

from ..adapters.group import AdaptersOrNone
from ..node_request import NodeRequest
from ..node_response import NodeResponse
from ..onex_inputs import effect_output
from ..settings.node import NodeSettings
from .running import RunningNode

if TYPE_CHECKING:
    from omnibase_core.nodes import ModelEffectInput, ModelEffectOutput


class RunningEffect[
    RequestT: NodeRequest,
    ResponseT: NodeResponse,
    SettingsT: NodeSettings,
    AdaptersT: AdaptersOrNone,
](RunningNode[RequestT, ResponseT, SettingsT, AdaptersT]):
    """An effect node between its start and its end."""

    @override
    async def process(self, input_data: ModelEffectInput) -> ModelEffectOutput:
        """Run the operation that an ONEX effect input asks for.

        Args:
            input_data: Its `operation_data` holds `operation` and `payload`; its metadata the correlation id.

        Returns:
            The operation's output as `result`.

        Raises:
            ModelOnexError: VALIDATION_ERROR for an input that names no operation; else what the operation raises.
        """
        return await effect_output(input_data, self.request_model, self.handle)
