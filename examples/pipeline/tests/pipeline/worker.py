"""A process of the orchestrator, which answers one request and prints what it published."""

import asyncio
import json
import sys

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory

from omninode_codegen.nodes.node_codegen_pipeline_orchestrator.handler import HandlerCodegenPipelineOrchestrator
from omninode_codegen.nodes.node_codegen_pipeline_orchestrator.models.model_codegen_pipeline_request import (
    ModelCodegenPipelineRequest,
)
from omninode_codegen.nodes.node_codegen_pipeline_orchestrator.models.model_codegen_pipeline_response import (
    ModelCodegenPipelineResponse,
)


async def answered(
    handler: HandlerCodegenPipelineOrchestrator, request: ModelCodegenPipelineRequest
) -> ModelCodegenPipelineResponse:
    """Return the answer, once nobody else works on the same request any more."""
    while True:
        try:
            return await handler.handle(request)
        except ModelOnexError as error:
            if error.error_code is not EnumCoreErrorCode.RESOURCE_UNAVAILABLE:
                raise
        await asyncio.sleep(0.05)


async def main(text: str) -> None:
    """Answer one request."""
    request = ModelCodegenPipelineRequest.model_validate_json(text)
    bus = EventBusInmemory()
    await bus.start()
    handler = HandlerCodegenPipelineOrchestrator(bus)
    await handler.initialize()
    try:
        response = await answered(handler, request)
        events = [(message.topic, json.loads(message.value)) for message in await bus.get_event_history()]
    finally:
        await handler.shutdown()
        await bus.close()
    sys.stdout.write(json.dumps({"result": response.model_dump(mode="json")["result"], "events": events}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
