"""Which files of the template a node does without.

A file in `template/` has the name that the user gets. What not every node needs stands here with what tells that it is
needed; all else belongs to every node. Copier takes the list as patterns of paths that it does not render.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .node import NodeView

Needed = Callable[["NodeView"], object]

# What a project has for all of its nodes, and a node that is generated into a project therefore does not bring along.
_OF_THE_PROJECT: Mapping[str, Needed] = {
    path: lambda node: not node.place.inside
    for path in (
        ".dockerignore",
        ".github",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".python-version",
        "Makefile",
        "pyproject.toml",
        "requirements",
        "{package}/nodes/__init__.py",
        "{package}/py.typed",
    )
}
# What a node brings along because the project's own files say nothing of it.
_OF_A_NODE_INSIDE: Mapping[str, Needed] = {
    path: lambda node: node.place.inside
    for path in (
        "{deploy}/.gitignore",
        "{deploy}/Dockerfile.dockerignore",
        "{deploy}/requirements.txt",
        "{node}/ruff.toml",
        "{tests}/__init__.py",
        "{tests}/ruff.toml",
    )
}
_OF_SOME_NODES: Mapping[str, Needed] = {
    "{deploy}/kubernetes/horizontalpodautoscaler.yaml": lambda node: node.deploy.scaling,
    "{deploy}/environments": lambda node: node.environments,
    "{deploy}/kubernetes/networkpolicy.yaml": lambda node: node.contract.deployment.network_policy,
    "{deploy}/kubernetes/persistentvolumeclaim.yaml": lambda node: "files" in node.deploy.folders,
    "{deploy}/kubernetes/secret.example.yaml": lambda node: node.deploy.given,
    "{deploy}/kubernetes/service.yaml": lambda node: node.deploy.offered,
    "{deploy}/kubernetes/servicemonitor.yaml": lambda node: node.deploy.service_monitor,
    "{deploy}/kubernetes/prometheusrule.yaml": lambda node: node.deploy.service_monitor,
    "{deploy}/watch": lambda node: node.has_metrics_mixin,
    "{tests}/unit/test_watch.py": lambda node: node.has_metrics_mixin,
    "{deploy}/service_manifest.json": lambda node: node.consul,
    "{deploy}/service_manifest.yaml": lambda node: node.consul,
    "{migrations}": lambda node: node.migrations,
    "{node}/adapters": lambda node: node.adapters,
    "{node}/adapters/migrations.py": lambda node: node.migrations,
    "{node}/aggregations": lambda node: node.aggregating,
    "{node}/asyncapi.json": lambda node: node.contract.service.asyncapi,
    "{node}/caches.py": lambda node: node.cached,
    "{node}/command.py": lambda node: node.command_line,
    "{node}/computations": lambda node: node.with_expressions,
    "{node}/consumed.py": lambda node: node.consuming,
    "{node}/handlers/custom": lambda node: node.custom_operations,
    "{node}/models/model_*_step_event.py": lambda node: node.workflows,
    "{node}/openapi.json": lambda node: node.contract.service.openapi,
    "{node}/runtime": lambda node: node.runtime_modules,
    "{node}/service_mode.py": lambda node: node.base.service_mode,
    "{node}/state": lambda node: node.fsm,
    "{node}/topics.py": lambda node: node.topics,
    "{node}/workflows": lambda node: node.workflows,
    "{tests}/custom": lambda node: node.custom_operations,
    "{tests}/integration": lambda node: node.tests_servers,
    "{tests}/integration/conftest.py": lambda node: node.database,
    "{tests}/integration/test_caches.py": lambda node: node.cache_tested,
    "{tests}/integration/test_discovery.py": lambda node: node.consul,
    "{tests}/integration/test_http.py": lambda node: node.apis,
    "{tests}/integration/test_kafka.py": lambda node: node.kafka,
    "{tests}/integration/test_migrations.py": lambda node: node.migrations,
    "{tests}/integration/test_operations.py": lambda node: node.sql_operations,
    "{tests}/integration/test_redis.py": lambda node: node.redis,
    "{tests}/integration/test_resume.py": lambda node: node.shares_runs,
    "{tests}/integration/test_states.py": lambda node: node.tests_states,
    "{tests}/performance": lambda node: node.benched,
    "{tests}/performance/test_overhead.py": lambda node: node.workflows,
    "{tests}/performance/test_targets.py": lambda node: node.measured,
    "{tests}/performance/test_throughput.py": lambda node: node.throughput,
    "{tests}/run_local.py": lambda node: node.runs_locally,
    "{tests}/unit/callers.py": lambda node: node.auth,
    "{tests}/unit/test_command.py": lambda node: node.command_line,
    "{tests}/unit/test_files.py": lambda node: node.files_sampled,
    "{tests}/unit/test_handlers.py": lambda node: node.handler_tested,
    "{tests}/unit/test_rate_limit.py": lambda node: node.rate_limit,
    "{tests}/unit/test_security.py": lambda node: node.security,
    "{tests}/unit/test_service_mode.py": lambda node: node.base.service_mode,
    "{tests}/unit/test_state_machine.py": lambda node: node.fsm,
    "{tests}/unit/test_tracing.py": lambda node: node.tracing,
    "{tests}/unit/test_transactions.py": lambda node: node.transactions_tested,
}
NEEDED = {**_OF_THE_PROJECT, **_OF_A_NODE_INSIDE, **_OF_SOME_NODES}


def left_out(node: "NodeView") -> tuple[str, ...]:
    """Return the patterns of the paths that a node does without, sorted; each starts at the root of the project."""
    folders = {
        "package": node.package_folder,
        "node": node.folder,
        "tests": node.place.tests,
        "deploy": node.place.deploy,
        "migrations": node.migrations_folder,
    }
    return tuple(sorted(f"/{path.format_map(folders)}" for path, needed in NEEDED.items() if not needed(node)))
