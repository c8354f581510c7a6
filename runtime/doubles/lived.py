# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""The life of a node, from construction to shutdown, and what ONEX's engine asks of it."""

from typing import Any, ClassVar
from uuid import uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.enums.enum_effect_types import EnumEffectType
from omnibase_core.enums.enum_reducer_types import EnumReductionType
from omnibase_core.errors import ModelOnexError
from omnibase_core.event_bus import EventBusInmemory
from omnibase_core.models.container import ModelONEXContainer
from omnibase_core.nodes import ModelComputeInput, ModelEffectInput, ModelReducerInput

from .echo import Echo
from .world import FakeWorld

AWAY = ModelOnexError(message="away", error_code=EnumCoreErrorCode.NETWORK_ERROR)


class Living:
    """What the tests of a node derive from: they say which one.

    Attributes:
        NODE: Its class.
        REQUEST: The model of its requests.
        OPERATION: One of its operations.
        RUNS: Of each operation: its name, the class of its input, its deadline in seconds, whether running it twice
            does no harm, and the topics of its events.
        NAMESPACE: Whose events these are.
        ADAPTERS: Of each adapter: its name; the errors that the contract lists for another attempt, None where there is
            none; the name of its circuit breaker, None for none; the setting of how long a check may take.
        WITHOUT: What it says of its health while they are away.
    """

    NODE: ClassVar[type[Any]]
    REQUEST: ClassVar[type[Any]]
    OPERATION: ClassVar[Any]
    RUNS: ClassVar[tuple[tuple[str, str, float, bool, tuple[str, ...]], ...]]
    NAMESPACE: ClassVar[str]
    ADAPTERS: ClassVar[tuple[tuple[str, tuple[str, ...] | None, str | None, str], ...]] = ()
    WITHOUT: ClassVar[str] = "unhealthy"

    @pytest.fixture
    def node(self, settings: Any, world: FakeWorld) -> Any:
        """The node, not initialized; what it talks to is the stand-in."""
        return self.NODE(ModelONEXContainer(), settings)


class Lived(Living):
    """Tests of what each node does."""

    async def test_nothing_runs_before_it_is_initialized(self, node: Any) -> None:
        with pytest.raises(ModelOnexError) as caught:
            await node.handle(self.REQUEST(operation=self.OPERATION, correlation_id=uuid4()))
        assert caught.value.error_code is EnumCoreErrorCode.INVALID_STATE

    async def test_node_opens_and_closes_what_it_has(self, node: Any, world: FakeWorld) -> None:
        assert (await node.health_check_async()).status == "degraded"
        await node.initialize()
        assert (await node.health_check_async()).status == "healthy"
        assert world.opened == len(self.ADAPTERS)
        if self.ADAPTERS:
            world.error = AWAY
            report = await node.health_check_async()
            assert (report.status, len(report.issues)) == (self.WITHOUT, len(self.ADAPTERS))
        await node.shutdown()
        assert (await node.health_check_async()).status == "degraded"
        assert world.closed == len(self.ADAPTERS)

    async def test_it_runs_what_the_contract_says(self, node: Any, settings: Any) -> None:
        await node.initialize()
        entry, runs = node.running, []
        for name, one in entry._operations.items():
            topics = tuple(event.topic for event in one.events)
            runs.append((name, one.input_model.__name__, one.timeout_seconds, one.idempotent, topics))
        assert tuple(runs) == self.RUNS
        assert entry.settings is node.settings is settings
        shared = entry._surroundings
        assert (shared.node, shared.namespace, shared.node_id) == (node.NAME, self.NAMESPACE, node.node_id)


class CallsOthers(Living):
    """Tests of a node with adapters."""

    async def test_calls_are_guarded_as_the_contract_says(self, node: Any, settings: Any) -> None:
        await node.initialize()
        found = []
        for name, _, _, setting in self.ADAPTERS:
            adapter = getattr(node.adapters, name)
            guard = getattr(adapter, "guard", None)
            retry, breaker = (guard.retry, guard.breaker) if guard else (None, None)
            listed = tuple(sorted(retry.retryable_exceptions)) if retry else None
            found.append((name, listed, breaker and breaker.name, setting))
            assert adapter._check_seconds == getattr(settings, setting)
        assert tuple(found) == self.ADAPTERS


class PublishesEvents(Living):
    """Tests of a node that publishes."""

    async def test_events_go_to_the_bus_of_the_container(self, settings: Any, world: FakeWorld) -> None:
        container = ModelONEXContainer()
        bus = EventBusInmemory()
        await container.service_registry.register_instance(EventBusInmemory, bus)
        node = self.NODE(container, settings)
        await node.initialize()
        assert node.running._surroundings.event_bus is bus


class TakesEffects(Living):
    """Tests of an effect node."""

    async def test_onex_input_is_handled_and_answered(self, node: Any, echo: Echo) -> None:
        await node.initialize()
        operation_id = uuid4()
        output = await node.process(
            ModelEffectInput(
                effect_type=EnumEffectType.DATABASE_OPERATION,
                operation_id=operation_id,
                operation_data={"operation": self.OPERATION.value, "payload": {"a": 1}},
            )
        )
        assert output.result == {"echo": {"a": 1}}
        assert output.operation_id == operation_id
        assert output.processing_time_ms > 0

    async def test_onex_input_that_names_no_operation_is_refused(self, node: Any) -> None:
        data = {"operation": "no such operation"}
        with pytest.raises(ModelOnexError) as caught:
            await node.process(ModelEffectInput(effect_type=EnumEffectType.DATABASE_OPERATION, operation_data=data))
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR


class TakesComputations(Living):
    """Tests of a compute node."""

    async def test_onex_input_is_handled_and_answered(self, node: Any, echo: Echo) -> None:
        await node.initialize()
        operation_id = uuid4()
        output = await node.process(
            ModelComputeInput(
                data={"operation": self.OPERATION.value, "payload": {"a": 1}},
                operation_id=operation_id,
                computation_type="test",
            )
        )
        assert output.result == {"echo": {"a": 1}}
        assert (output.operation_id, output.computation_type) == (operation_id, "test")
        assert output.processing_time_ms > 0

    async def test_onex_input_that_names_no_operation_is_refused(self, node: Any) -> None:
        with pytest.raises(ModelOnexError) as caught:
            await node.process(ModelComputeInput(data={"operation": "no such operation"}))
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR


class TakesReductions(Living):
    """Tests of a reducer."""

    async def test_onex_input_is_handled_and_answered(self, node: Any, echo: Echo) -> None:
        await node.initialize()
        operation_id = uuid4()
        output = await node.process(
            ModelReducerInput(
                data=[{"operation": self.OPERATION.value, "payload": {"a": number}} for number in (1, 2)],
                reduction_type=EnumReductionType.AGGREGATE,
                operation_id=operation_id,
            )
        )
        assert output.result == [{"echo": {"a": 1}}, {"echo": {"a": 2}}]
        assert output.operation_id == operation_id
        assert output.items_processed == 2
        assert output.processing_time_ms > 0

    async def test_onex_input_that_names_no_operation_is_refused(self, node: Any) -> None:
        data = [{"operation": "no such operation"}]
        with pytest.raises(ModelOnexError) as caught:
            await node.process(ModelReducerInput(data=data, reduction_type=EnumReductionType.AGGREGATE))
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
