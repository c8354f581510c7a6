"""Which modules of the runtime a node holds: those that its generated code imports, and those that they import."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from ..home import RUNTIME

if TYPE_CHECKING:
    from ..language.contract import Contract
    from .node import NodeView

FOLDER = RUNTIME / "onex_node_runtime"
PACKAGE = FOLDER.name
REQUIREMENT = "onex-node-runtime>=0.2,<0.3"
_DOUBLES_FOLDER = FOLDER.parent / "doubles"
_RELATIVE_IMPORT = re.compile(r"^\s*from (\.+)([\w.]*) import ", re.MULTILINE)

# What generated code imports, by what tells that it does.
_ROOTS: Mapping[str, Callable[["NodeView"], object]] = {
    "answers": lambda node: node.extracting,
    "callers/api_keys": lambda node: node.auth and node.auth.api_keys,
    "callers/known": lambda _node: True,
    "callers/tokens": lambda node: node.auth and node.auth.bearer,
    "command_line": lambda node: node.command_line,
    "correlation": lambda _node: True,
    "counters": lambda node: node.begins_counters,
    "entry": lambda _node: True,
    "nodes/compute": lambda node: node.is_compute,
    "nodes/effect": lambda node: node.is_effect,
    "nodes/orchestrator": lambda node: node.is_orchestrator,
    "nodes/reducer": lambda node: node.is_reducer,
    "discovery": lambda node: node.consul,
    "event_topics": lambda node: node.topics,
    "patterns": lambda node: node.security and node.security.forbidden_patterns,
    "aggregations/keeping": lambda node: node.figure_store,
    "aggregations/measures": lambda node: node.aggregations.uses("measures"),
    "aggregations/moments": lambda node: node.aggregations.uses("moments"),
    "aggregations/packing": lambda node: node.aggregating,
    # Tests count in it, wherever the node does.
    "aggregations/store_memory": lambda node: node.figures_kept_in,
    "aggregations/store_postgres": lambda node: node.figures_kept_in == "postgres",
    "aggregations/store_redis": lambda node: node.figures_kept_in == "redis",
    "aggregations/values": lambda node: node.aggregations.uses("values"),
    "compute_pool": lambda node: node.pooled,
    "json_values": lambda node: node.writes_json,
    "intents": lambda node: node.aggregations.intend,
    "idempotency/kept_answers": lambda node: node.keyed,
    "keys": lambda node: node.key_helpers,
    "measuring": lambda node: node.has_metrics_mixin,
    "operation": lambda _node: True,
    "rate_limit": lambda node: node.rate_limit,
    "security": lambda node: node.security and node.security.checks,
    "serving/application": lambda _node: True,
    "serving/hosted": lambda _node: True,
    "serving/measured": lambda node: node.has_metrics_mixin,
    "occasion": lambda node: node.asks_for_occasions,
    "serving/documents": lambda node: node.documents,
    "serving/page": lambda node: node.contract.service.docs,
    "serving/selection": lambda node: node.selecting,
    "serving/cron": lambda node: node.has_calendar,
    "effects": lambda _node: True,
    "adapters/adapter_files": lambda node: node.files,
    "adapters/adapter_http": lambda node: node.apis,
    "paging": lambda node: node.paging,
    "adapters/adapter_kafka": lambda node: node.kafka,
    "adapters/adapter_postgres": lambda node: node.database,
    "adapters/adapter_redis": lambda node: node.redis,
    "adapters/circuit_breaker": lambda node: node.breaker and node.guarding,
    "adapters/group": lambda node: node.adapters,
    "adapters/guard": lambda node: node.guarding,
    "adapters/migrating": lambda node: node.migrations,
    "adapters/postgres_refusals": lambda node: node.transactions,
    "adapters/postgres_values": lambda node: node.transactions,
    "adapters/retry_policy": lambda node: node.retry and node.guarding,
    "adapters/sql": lambda node: node.database_operations,
    "caches/entries_memory": lambda node: "memory" in node.cache_places,
    "caches/entries_redis": lambda node: "redis" in node.cache_places,
    "caches/read_through": lambda node: node.cached,
    "computations/following": lambda node: node.followed,
    "computations/outcome": lambda node: node.with_expressions,
    "consumer": lambda node: node.consuming,
    "models/base64_bytes": lambda node: node.has_bytes,
    "models/formats": lambda node: "formats" in node.type_modules,
    "models/failure_event": lambda node: any(event.failed for _, event in node.event_models),
    "models/operation_request": lambda _node: True,
    "models/operation_response": lambda _node: True,
    "models/success_event": lambda node: any(not event.failed for _, event in node.event_models),
    "models/secrets": lambda node: node.has_secrets,
    "models/utc_datetime": lambda node: node.has_datetimes,
    "states/entities": lambda node: node.fsm,
    "states/store_memory": lambda node: node.fsm and node.fsm.backend == "memory",
    "states/store_postgres": lambda node: node.fsm and node.fsm.backend == "postgres",
    "states/store_redis": lambda node: node.fsm and node.fsm.backend == "redis",
    "tool_server": lambda node: node.base.service_mode,
    "texts": lambda node: node.text_helpers,
    "surroundings": lambda _node: True,
    "result_cache": lambda node: node.caching,
    "exporting": lambda node: node.tracing,
    "tracing": lambda node: node.tracing,
    "workflows/announcer": lambda node: node.workflows,
    "workflows/company": lambda node: node.workflows,
    "workflows/connection": lambda node: node.workflows,
    "workflows/run_store_memory": lambda node: node.run_store == "memory",
    "workflows/run_store_postgres": lambda node: node.run_store == "postgres",
    "workflows/run_store_redis": lambda node: node.run_store == "redis",
    "workflows/workflows": lambda node: node.workflows,
}
_DOUBLES: Mapping[str, Callable[["NodeView"], object]] = {
    "asked": lambda node: node.sql_operations or node.migrations,
    "consul_agent": lambda node: node.consul,
    "declared": lambda _node: True,
    "deployed": lambda _node: True,
    "echo": lambda _node: True,
    "fake_nodes": lambda node: node.workflows,
    "drifting": lambda _node: True,
    "fakes": lambda node: node.database,
    "http_server": lambda node: node.apis,
    "issuer": lambda node: node.auth and node.auth.bearer,
    "kafka_server": lambda node: node.kafka,
    "lived": lambda _node: True,
    "measured": lambda node: node.measured,
    "peers_local": lambda node: node.peers,
    "purity": lambda node: node.proves_purity,
    "quiet_server": lambda node: node.apis or node.consul,
    "redis_server": lambda node: node.redis,
    "servers": lambda node: node.database,
    "watched": lambda node: node.has_metrics_mixin,
    "world": lambda _node: True,
}


def package(contract: "Contract", module: str) -> str:
    """Return the package that a node imports the runtime from: a copy of its own, or the installed one.

    Args:
        contract: The node's contract.
        module: The node's own package.
    """
    return f"{module}.runtime" if contract.runtime == "copy" else PACKAGE


@cache
def holds(module: str) -> bool:
    """Tell whether the runtime has a module, by its dotted name below the package."""
    return FOLDER.joinpath(*module.split(".")).with_suffix(".py").is_file()


def modules(node: "NodeView") -> tuple[str, ...]:
    """Return the modules that the node holds a copy of, as paths without their suffix, sorted."""
    if node.contract.runtime != "copy":
        return ()
    found: set[str] = {"__init__"}
    wanted = ["settings/types", *(base.module.replace(".", "/") for base in node.settings_class.bases)]
    wanted += [module for module, needed in _ROOTS.items() if needed(node)]
    while wanted:
        module = wanted.pop()
        if module not in found:
            found.add(module)
            wanted += _imported(module)
    return tuple(sorted(found))


def doubles(node: "NodeView") -> tuple[str, ...]:
    """Return the modules that the node's tests have copies of, for what stands in for servers."""
    return tuple(module for module, needed in _DOUBLES.items() if needed(node))


def double_source(module: str) -> str:
    """Return the text of a module that stands in for a server."""
    return (_DOUBLES_FOLDER / f"{module}.py").read_text(encoding="utf-8")


def source(module: str) -> str:
    """Return the text of a module, which nodes hold as it is.

    Args:
        module: Its path without the suffix, below the package.
    """
    return (FOLDER / f"{module}.py").read_text(encoding="utf-8")


# Asked for each file of a node.
@cache
def _imported(module: str) -> tuple[str, ...]:
    parents = module.split("/")[:-1]
    found = ["/".join([*parents, "__init__"])] if parents else []
    for dots, name in _RELATIVE_IMPORT.findall(source(module)):
        folder = parents[: len(parents) - len(dots) + 1]
        found.append("/".join([*folder, *name.split(".")]))
    return tuple(found)
