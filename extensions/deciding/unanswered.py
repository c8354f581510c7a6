"""What a contract asks for and nothing in the node answers to: said, so that nothing is left out in silence."""

from collections.abc import Collection, Iterator, Sequence

from ..language.contract import MISSING, Contract, Field, Operation, Retry
from ..language.workflow import StepRetry
from ..text.problems import Path, Problem, did_you_mean, show
from . import monitoring
from .decisions import adapters, called, decide_integrations, idle_integrations, not_generated

GUARDED = ("postgres", "http", "redis")
"""The integrations whose calls are retried and pass a circuit breaker."""


def guarded_adapters(contract: Contract) -> tuple[str, ...]:
    """Return the keys of the adapters whose calls are retried and pass a circuit breaker."""
    return tuple(key for key in adapters(contract) if key in GUARDED or key in contract.clients)


_RETRIED_BY = {
    "kafka": "what can't be delivered now waits in the outbox, and is tried until the brokers are there",
    "filesystem": "files are on this machine, where a second attempt finds what the first one found",
    "compute": "the same input leads to the same result, however often it is tried",
    "aggregate": "the same events lead to the same figures, however often it is tried",
}
# Words of features that say nothing by themselves, and what says it.
_ANSWERED_BY = {
    "state_machine": "a state machine: subcontracts.fsm, in a reducer",
    "caching": "a compute node, whose results follow from their inputs alone and are kept by them",
    "hybrid_execution": "a workflow: operations[].workflow, in an orchestrator",
    "canonical_yaml": "nothing: whatever the node writes as YAML or JSON has one form already",
}
_OF_THE_NODE = "advanced_features.retry_policy says how often calls that it makes are tried"


def unanswered(contract: Contract) -> Iterator[Problem]:
    """Find what the contract asks for, and the node is generated without.

    Args:
        contract: A contract without problems.

    Yields:
        One problem for each; none of them keeps the contract from being used. What is asked for and holds anyway, such
        as a policy that is turned off, is not among them. Their paths name `advanced_features` for the legacy key, too.
    """
    for place in (*not_generated(contract), *monitoring.without_effect(contract, adapters(contract))):
        key, _, word = place.partition(": ")
        path: Path = (key,) if word else tuple(place.split(".", 1))
        yield Problem(
            path, word or show(path[-1]), _ANSWERED_BY.get(word, "what this version of the template generates")
        )
    yield from without_effect(contract)


def without_effect(contract: Contract) -> Iterator[Problem]:
    """Find settings that only mean something to what the node does not have.

    Args:
        contract: A contract without problems.

    Yields:
        One problem for each.
    """
    integrations = decide_integrations(contract)
    yield from _words(contract, integrations)
    yield from _policies(contract, integrations)
    yield from _settings(contract)
    yield from _adapters(contract)
    if "kafka" not in integrations:
        yield from _events_inside(contract)
    for model in contract.models:
        yield from _items(("models", model.name, "fields"), model.fields)
    for index, operation in enumerate(contract.operations):
        yield from _operation(("operations", index), operation, contract)


def _words(contract: Contract, integrations: Collection[str]) -> Iterator[Problem]:
    guarded = any(key in integrations for key in GUARDED)
    for word, answered in (
        ("retry", guarded or contract.retry),
        ("circuit_breaker", guarded or contract.circuit_breaker),
        ("dead_letter_queue", contract.consumed_events),
    ):
        if word in contract.features and not answered:
            yield Problem(("features",), word, _NEEDED[word])


_CALLS = "an integration whose calls can fail: database, api_client or redis"
_EVENTS = "events that the node consumes: subcontracts.event_type.consumed_events"
_NEEDED = {"retry": _CALLS, "circuit_breaker": _CALLS, "dead_letter_queue": _EVENTS}


def _adapters(contract: Contract) -> Iterator[Problem]:
    """Find what is asked for beside the node's own kind of work, which only effects do."""
    for decision in idle_integrations(contract).values():
        place, _, word = decision.reasons[0].partition(": ")
        path = (place,) if word else tuple(place.split("."))
        found = word or f"{decision.choice} in a node of type {contract.node_type}, which nothing in it calls"
        yield Problem(path, found, "an effect, which calls it, as a node of its own")


def _policies(contract: Contract, integrations: Collection[str]) -> Iterator[Problem]:
    place: Path = ("advanced_features",)
    guarded = guarded_adapters(contract)
    if contract.retry and contract.retry.enabled:
        path = (*place, "retry_policy")
        if not guarded:
            hint = "workflow.retry is for steps" if any(op.workflow for op in contract.operations) else ""
            yield Problem(path, "attempts at calls", _CALLS, hint)
        else:
            yield from _statuses(path, contract.retry, has_http="http" in integrations)
    breaker = contract.circuit_breaker
    if breaker and breaker.enabled and not guarded:
        yield Problem((*place, "circuit_breaker"), "a circuit breaker", _CALLS)
    elif breaker and breaker.enabled:
        known = [name for key in guarded for name in dict.fromkeys(called(key))]
        for index, name in enumerate(breaker.services):
            if name not in known:
                path = (*place, "circuit_breaker", "services", index, "name")
                expected = f"an integration of the node: {', '.join(known)}"
                yield Problem(path, show(name), expected, did_you_mean(name, known))
    if contract.transactions and contract.transactions.enabled and "postgres" not in integrations:
        yield Problem((*place, "transactions"), "transactions", "a database")
    queue = contract.dead_letter_queue
    if queue and queue.enabled and not contract.consumed_events and "dead_letter_queue" not in contract.features:
        yield Problem((*place, "dead_letter_queue"), "a dead letter queue", _EVENTS)


def _statuses(path: Path, policy: Retry, *, has_http: bool) -> Iterator[Problem]:
    if policy.retryable_status_codes and not has_http:
        yield Problem((*path, "retryable_status_codes"), "statuses of HTTP", "a call of an HTTP API, which gives them")


def _events_inside(contract: Contract) -> Iterator[Problem]:
    for index, operation in enumerate(contract.operations):
        if operation.publishes:
            what = ", ".join(dict.fromkeys(item.event for item in operation.publishes))
            expected = "a bus outside of the process, which integrations.kafka is: true"
            hint = "without it, events reach who shares the node's process and its bus alone"
            yield Problem(("operations", index, "publishes"), f"events that stay inside: {what}", expected, hint)


def _settings(contract: Contract) -> Iterator[Problem]:
    if contract.kafka and contract.kafka.group_id and not contract.consumed_events:
        yield Problem(("integrations", "kafka", "group_id"), show(contract.kafka.group_id), _EVENTS)
    if contract.observability.export_interval_seconds and not contract.deployment.service_monitor:
        path: Path = ("advanced_features", "observability", "metrics", "export_interval_seconds")
        yield Problem(path, "a time between two questions", "deployment.service_monitor, so that somebody asks")


def _operation(path: Path, operation: Operation, contract: Contract) -> Iterator[Problem]:
    yield from _items((*path, "input"), operation.input)
    yield from _items((*path, "output"), operation.output)
    policy = operation.retry
    if policy and policy.enabled:
        if operation.database or operation.http or operation.redis:
            yield from _statuses((*path, "retry"), policy, has_http=operation.http is not None)
        else:
            kind = next((name for name in _RETRIED_BY if getattr(operation, name) is not None), "")
            expected = "database, http or redis, whose calls are tried again"
            yield Problem((*path, "retry"), "attempts at an operation", expected, _RETRIED_BY.get(kind, _OF_THE_NODE))
    for step in operation.workflow.every if operation.workflow else ():
        if step.retry.max_attempts == 1 and step.retry != StepRetry():
            found = f"delays between attempts at {step.name}, of which there is one"
            yield Problem((*path, "workflow"), found, "retry.max_attempts, too")
    if operation.database and operation.database.asks_for_transaction and not contract.transactions:
        place = (*path, "database", "transaction")
        yield Problem(place, "a transaction", "advanced_features.transactions, which says how they are isolated")


def _items(path: Path, fields: Sequence[Field]) -> Iterator[Problem]:
    for field in fields:
        place, items = (*path, field.name, "items"), field.items
        while items:
            for key, said in (("required", not items.required), ("default", items.default is not MISSING)):
                if said:
                    yield Problem((*place, key), key, "fields themselves; what an array holds is never left out")
            place, items = (*place, "items"), items.items
