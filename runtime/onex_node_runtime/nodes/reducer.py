# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""A reducer that takes ONEX's inputs of reductions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, override

from ..adapters.group import AdaptersOrNone
from ..node_request import NodeRequest
from ..node_response import NodeResponse
from ..onex_inputs import no_intents, reducer_output
from ..settings.node import NodeSettings
from .running import RunningNode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omnibase_core.models.projectors.model_projection_intent import ModelProjectionIntent
    from omnibase_core.models.reducer.model_intent import ModelIntent
    from omnibase_core.nodes import ModelReducerInput, ModelReducerOutput
    from pydantic import JsonValue


class RunningReducer[
    RequestT: NodeRequest,
    ResponseT: NodeResponse,
    SettingsT: NodeSettings,
    AdaptersT: AdaptersOrNone,
](RunningNode[RequestT, ResponseT, SettingsT, AdaptersT]):
    """A reducer between its start and its end.

    Attributes:
        INTENTS: Makes ONEX's intents of the operations' outputs.
    """

    INTENTS: ClassVar[Callable[[Sequence[dict[str, JsonValue]]], tuple[ModelIntent, ...]]] = staticmethod(no_intents)

    @override
    async def process(
        self, input_data: ModelReducerInput[Any], projection_intents: tuple[ModelProjectionIntent, ...] = ()
    ) -> ModelReducerOutput[Any]:
        """Run the operations that an ONEX reducer input asks for, one after another.

        Args:
            input_data: Each item of its `data` holds `operation` and `payload`; its metadata the correlation id.
            projection_intents: Part of ONEX's signature; the node makes no projections.

        Returns:
            The operations' outputs as `result`, in the same order, and their intents as ONEX's.

        Raises:
            ModelOnexError: VALIDATION_ERROR for an item that names no operation; else what the operation raises.
        """
        return await reducer_output(input_data, self.request_model, self.handle, type(self).INTENTS)
