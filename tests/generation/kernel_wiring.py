"""Wires every discovered node into ONEX's kernel, as `onex-runtime` does, and prints what came of it as JSON."""

import asyncio
import json

from omnibase_infra.event_bus.event_bus_inmemory import EventBusInmemory
from omnibase_infra.runtime.auto_wiring import (
    discover_contracts,
    filter_manifest_for_runtime_profile,
    wire_from_manifest,
)
from omnibase_infra.runtime.message_dispatch_engine import MessageDispatchEngine


async def main() -> None:
    """Discover, filter by the profile `main`, wire and report."""
    discovered = discover_contracts()
    owned = filter_manifest_for_runtime_profile(discovered, "main")
    bus = EventBusInmemory(environment="test", group="gate")
    await bus.start()
    report = await wire_from_manifest(owned.manifest, MessageDispatchEngine(), event_bus=bus, environment="test")
    print(  # noqa: T201 - the test reads it
        json.dumps(
            {
                "discovered": [contract.name for contract in discovered.contracts],
                "errors": [str(error) for error in discovered.errors],
                "wired": [result.contract_name for result in report.results if result.outcome.value == "wired"],
                "quarantined": [str(record) for record in report.quarantined_handlers],
                "failed": report.total_failed,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
