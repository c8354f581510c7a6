"""The files under `deploy/` are valid by their own tools, and say what the contract says."""

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.rendering import CONTRACTS, read_contract
from extensions.viewing.deploy import DeployView
from tests.conftest import Generate, Run
from tests.contracts.render import Renderer
from tests.generation.test_hostile_text import HOSTILE

DEPLOYMENT: dict[str, Any] = {
    "replicas": 3,
    "image": "registry.example.com:5000/team/lock",
    "namespace": "locks",
    "env": {
        "LOG_LEVEL": "DEBUG",
        "database_pool_max_size": 20,
        "TZ": "UTC",
        "NO": "no",
        "REGION": "${env.REGION}",
        "OTHER_TOKEN": "${secret.OTHER}",
    },
    "resources": {"requests": {"cpu": "250m", "memory": "128Mi"}, "limits": {"cpu": 2, "memory": "1Gi"}},
    "autoscaling": {"min_replicas": 2, "max_replicas": 8, "cpu_percent": 60, "memory_percent": 75},
    "environments": {
        "staging": {"namespace": "staging", "env": {"LOG_LEVEL": "INFO", "REGION": "eu"}},
        "production": {"replicas": 4, "image": f"registry.example.com/lock@sha256:{'0' * 64}"},
    },
    "service_monitor": {"interval_seconds": 15, "labels": {"release": "prometheus"}},
}
LOCK = read_contract(CONTRACTS / "distributed_lock.yaml")
FULL = LOCK | {"deployment": DEPLOYMENT, "version": "1.0.0-rc.1+build.7", "dependencies": {"postgres": ">=14,<17"}}
CASES = {
    "defaults": LOCK,
    "everything": FULL,
    "no database": read_contract(CONTRACTS / "custom_greeting.yaml"),
    "http": read_contract(CONTRACTS / "llm_completion.yaml"),
    "redis and files": read_contract(CONTRACTS / "session_cache.yaml")
    | {"integrations": {"filesystem": {"root": "/srv/x"}, "consul": {"url": "https://consul.example.org"}}},
    "not offered": LOCK | {"service": {"enabled": False}, "deployment": {"service_monitor": True}},
    "tls": LOCK
    | {"service": {"port": 8443, "tls": {"secret": "lock.certificate"}}, "deployment": {"service_monitor": True}},
    "fixed": LOCK | {"deployment": {"replicas": 2, "autoscaling": {"enabled": False}}},
}
MONITOR_SCHEMA = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "monitoring.coreos.com/v1"},
        "kind": {"const": "ServiceMonitor"},
        "metadata": {"type": "object", "required": ["name", "labels"]},
        "spec": {
            "type": "object",
            "required": ["selector", "endpoints"],
            "additionalProperties": False,
            "properties": {
                "selector": {
                    "type": "object",
                    "required": ["matchLabels"],
                    "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}},
                },
                "endpoints": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "port": {"type": "string"},
                            "path": {"type": "string", "pattern": "^/"},
                            "interval": {"type": "string", "pattern": "^[0-9]+s$"},
                            "scheme": {"const": "https"},
                            "tlsConfig": {
                                "type": "object",
                                "required": ["serverName", "ca"],
                                "additionalProperties": False,
                                "properties": {"serverName": {"type": "string"}, "ca": {"type": "object"}},
                            },
                        },
                    },
                },
            },
        },
    },
}


def read(project: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((project / "deploy" / name).read_text(encoding="utf-8"))
    return document


def container(project: Path) -> dict[str, Any]:
    (only,) = read(project, "kubernetes/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    return dict(only)


def assert_valid(run: Run, project: Path) -> None:
    deploy = project / "deploy"
    lint = run("hadolint", deploy / "Dockerfile")
    assert lint.returncode == 0, lint.stdout
    compose = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", deploy / "compose.yaml")
    assert compose.returncode == 0, compose.stdout
    foreign = ("kustomization.yaml", "prometheusrule.yaml", "servicemonitor.yaml")
    manifests = [path for path in sorted((deploy / "kubernetes").iterdir()) if path.name not in foreign]
    validated = run("kubernetes-validate", "--strict", *manifests)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    resources = read(project, "kubernetes/kustomization.yaml")["resources"]
    applied = {path.name for path in manifests} - {"secret.example.yaml"}
    there = {path.name for path in (deploy / "kubernetes").iterdir()}
    monitor = there & {"prometheusrule.yaml", "servicemonitor.yaml"}
    assert set(resources) == applied | monitor


@pytest.fixture(scope="module", params=CASES)
def project(
    request: pytest.FixtureRequest, generate_project: Generate, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    name: str = request.param
    return generate_project(CASES[name], tmp_path_factory.mktemp("manifests") / "project")


@pytest.fixture(scope="module")
def full(generate_project: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate_project(FULL, tmp_path_factory.mktemp("manifests") / "full")


def test_tools_accept_them(run: Run, project: Path) -> None:
    assert_valid(run, project)


def test_own_tests_accept_them(run: Run, project: Path) -> None:
    result = run("python", "-m", "pytest", "-q", "--no-cov", "tests/contract/test_deploy.py", cwd=project)
    assert result.returncode == 0, result.stdout + result.stderr


def test_kustomize_builds_them(run: Run, project: Path, tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    for place in (project / "deploy/kubernetes", *(project / "deploy").glob("environments/*")):
        result = run("kubectl", "kustomize", place)
        assert result.returncode == 0, result.stderr
        built = tmp_path / f"{place.name}.yaml"
        built.write_text(result.stdout, encoding="utf-8")
        kinds = [document["kind"] for document in yaml.safe_load_all(result.stdout)]
        assert "Deployment" in kinds
        if not {"PrometheusRule", "ServiceMonitor"} & set(kinds):
            validated = run("kubernetes-validate", "--strict", built)
            assert validated.returncode == 0, validated.stdout + validated.stderr


def test_pods_are_locked_down(project: Path) -> None:
    spec = read(project, "kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(project)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    user = re.findall(r"^USER (\d+):\d+$", (project / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert user == [str(spec["securityContext"]["runAsUser"])]


def test_image_starts_the_process_itself(project: Path) -> None:
    dockerfile = (project / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r'^ENTRYPOINT \["node-[a-z-]+-effect"\]$', dockerfile, re.MULTILINE)
    assert len(re.findall(r"^FROM python:3\.12\.\d+-slim", dockerfile, re.MULTILINE)) == 2
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        assert all((project / name).exists() for name in source.split())


def test_health_check_tells_alive_from_dead(run: Run, project: Path, tmp_path: Path) -> None:
    joined = (project / "deploy" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    match = re.search(r"^HEALTHCHECK .*? CMD (\[.*\])$", joined, re.MULTILINE)
    assert match
    command = json.loads(match[1])
    server = tmp_path / "server.py"
    server.write_text(SERVER, encoding="utf-8")
    answered = run("python", server, json.dumps(command))
    assert json.loads(answered.stdout) == {"alive": 0, "failing": 1, "gone": 1}


SERVER = """
import http.server, json, os, subprocess, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" and not failing.is_set() else 503)
        self.end_headers()
    def log_message(self, *args):
        pass

failing = threading.Event()
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = os.environ | {"SERVICE_PORT": str(server.server_port), "HTTP_PROXY": "http://127.0.0.1:9"}
ask = lambda: subprocess.run(json.loads(sys.argv[1]), env=environment, stderr=subprocess.DEVNULL).returncode
result = {"alive": ask()}
failing.set()
result["failing"] = ask()
server.shutdown()
server.server_close()
result["gone"] = ask()
print(json.dumps(result))
"""


def test_only_what_the_node_needs(generate_project: Generate, tmp_path: Path) -> None:
    project = generate_project(CASES["no database"], tmp_path / "project")
    compose = read(project, "compose.yaml")
    assert list(compose["services"]) == ["node"]
    assert not [path for path in project.rglob("*") if "consul" in path.name or "discovery" in path.name]
    assert "onsul" not in (project / "src/greeting_nodes/nodes/node_greeting_effect/service.py").read_text()
    assert "volumes" not in compose
    assert "env" not in container(project)
    assert not (project / "deploy/kubernetes/secret.example.yaml").exists()
    assert "migrations" not in (project / "deploy/Dockerfile").read_text()


def test_node_that_is_not_offered_has_no_way_in(generate_project: Generate, tmp_path: Path) -> None:
    project = generate_project(CASES["not offered"], tmp_path / "project")
    names = {path.name for path in project.rglob("*")}
    assert not names & {
        "prometheusrule.yaml",
        "service.yaml",
        "servicemonitor.yaml",
        "service_manifest.json",
        "discovery.py",
    }
    assert "ports" not in read(project, "compose.yaml")["services"]["node"]
    assert "readinessProbe" in container(project)
    assert "- deployment.service\\_monitor" in (project / "README.md").read_text()


def test_compose_waits_for_what_the_node_needs(full: Path) -> None:
    services = read(full, "compose.yaml")["services"]
    healthy = {"condition": "service_healthy"}
    assert services["node"]["depends_on"] == {"postgres": healthy, "consul": healthy}
    assert all("healthcheck" in services[name] for name in services["node"]["depends_on"])
    assert services["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    assert services["postgres"]["image"] == "postgres:16-alpine"
    readme = (full / "README.md").read_text()
    assert 'echo "POSTGRES_PASSWORD=$(openssl rand -hex 24)" >> deploy/.env' in readme
    assert 'echo "REGION=$REGION" >> deploy/.env' in readme


def test_replicas(generate_project: Generate, tmp_path: Path) -> None:
    fixed = generate_project(CASES["fixed"], tmp_path / "fixed")
    assert read(fixed, "kubernetes/deployment.yaml")["spec"]["replicas"] == 2
    assert not (fixed / "deploy/kubernetes/horizontalpodautoscaler.yaml").exists()


def test_autoscaling(full: Path) -> None:
    assert "replicas" not in read(full, "kubernetes/deployment.yaml")["spec"]
    spec = read(full, "kubernetes/horizontalpodautoscaler.yaml")["spec"]
    targets = {m["resource"]["name"]: m["resource"]["target"]["averageUtilization"] for m in spec["metrics"]}
    assert (spec["minReplicas"], spec["maxReplicas"], targets) == (2, 8, {"cpu": 60, "memory": 75})


def test_image(full: Path) -> None:
    image = "registry.example.com:5000/team/lock:1.0.0-rc.1_build.7"
    assert container(full)["image"] == read(full, "compose.yaml")["services"]["node"]["image"] == image


def test_namespace(full: Path) -> None:
    for path in (full / "deploy" / "kubernetes").iterdir():
        manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert manifest["kind"] == "Kustomization" or manifest["metadata"]["namespace"] == "locks"


def test_resources(full: Path) -> None:
    assert container(full)["resources"] == {
        "requests": {"cpu": "250m", "memory": "128Mi"},
        "limits": {"cpu": "2", "memory": "1Gi"},
    }


def test_env(full: Path) -> None:
    configuration = read(full, "kubernetes/configmap.yaml")["data"]
    expected = {"LOG_LEVEL": "DEBUG", "DATABASE_POOL_MAX_SIZE": "20", "TZ": "UTC", "NO": "no"}
    assert expected.items() <= configuration.items()
    assert expected.items() <= read(full, "compose.yaml")["services"]["node"]["environment"].items()
    sources = {variable["name"]: variable.get("valueFrom", {}) for variable in container(full)["env"]}
    keys = {name: source["secretKeyRef"]["key"] for name, source in sources.items() if "secretKeyRef" in source}
    assert keys == {
        "CONSUL_HTTP_TOKEN": "CONSUL_HTTP_TOKEN",
        "DATABASE_URL": "DATABASE_URL",
        "OTHER_TOKEN": "OTHER",
        "REGION": "REGION",
    }
    assert read(full, "kubernetes/secret.example.yaml")["stringData"] == dict.fromkeys(keys.values(), "")


def test_service_monitor(run: Run, full: Path, generate_project: Generate, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(MONITOR_SCHEMA), encoding="utf-8")
    monitor = full / "deploy/kubernetes/servicemonitor.yaml"
    result = run("check-jsonschema", "--schemafile", schema, monitor)
    assert result.returncode == 0, result.stdout
    document = read(full, "kubernetes/servicemonitor.yaml")
    assert document["metadata"]["labels"]["release"] == "prometheus"
    assert document["spec"]["endpoints"] == [{"port": "http", "path": "/metrics", "interval": "15s"}]
    labels = read(full, "kubernetes/service.yaml")["metadata"]["labels"]
    assert document["spec"]["selector"]["matchLabels"].items() <= labels.items()
    plain = generate_project(LOCK, tmp_path / "plain")
    assert not (plain / "deploy/kubernetes/servicemonitor.yaml").exists()


def test_https(run: Run, generate_project: Generate, tmp_path: Path) -> None:
    project = generate_project(CASES["tls"], tmp_path / "project")

    pod = read(project, "kubernetes/deployment.yaml")["spec"]["template"]["spec"]
    assert {"name": "tls", "secret": {"secretName": "lock.certificate"}} in pod["volumes"]
    assert {"name": "tls", "mountPath": "/etc/node/tls", "readOnly": True} in container(project)["volumeMounts"]
    probes = [
        container(project)[f"{probe}Probe"]["httpGet"]["scheme"] for probe in ("startup", "liveness", "readiness")
    ]
    assert probes == ["HTTPS"] * 3
    settings = read(project, "kubernetes/configmap.yaml")["data"]
    assert settings["SERVICE_TLS_CERT_FILE"] == "/etc/node/tls/tls.crt"
    assert settings["SERVICE_TLS_KEY_FILE"] == "/etc/node/tls/tls.key"
    (port,) = read(project, "kubernetes/service.yaml")["spec"]["ports"]
    assert port["appProtocol"] == "https"
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps(MONITOR_SCHEMA), encoding="utf-8")
    result = run("check-jsonschema", "--schemafile", schema, project / "deploy/kubernetes/servicemonitor.yaml")
    assert result.returncode == 0, result.stdout
    (endpoint,) = read(project, "kubernetes/servicemonitor.yaml")["spec"]["endpoints"]
    assert endpoint["tlsConfig"]["serverName"] == read(project, "kubernetes/service.yaml")["metadata"]["name"]
    registered = read(project, "service_manifest.yaml")["service"]["check"]["http"]
    assert registered.startswith("https://")
    assert "SERVICE_TLS_CERT_FILE" not in read(project, "compose.yaml")["services"]["node"]["environment"]


def test_plain_http_unless_asked(full: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (full / "deploy/kubernetes").iterdir()]
    assert not [text for text in texts if "https" in text.lower() or "tls" in text.lower()]


def test_tags(full: Path) -> None:
    annotations = read(full, "kubernetes/service.yaml")["metadata"]["annotations"]
    assert json.loads(annotations["onex/service-tags"]) == ["onex", "effect", "locking"]


@pytest.mark.parametrize(
    "text", [text for text in HOSTILE.values() if text], ids=[name for name in HOSTILE if name != "empty"]
)
def test_hostile_text_stays_text(run: Run, renderer: Renderer, tmp_path: Path, text: str) -> None:
    contract = LOCK | {
        "description": text,
        "service": {"tags": [text[:200]]},
        "deployment": {"env": {"WORDS": text, "null": text, "E": text}},
    }
    project = renderer.render(contract, tmp_path / "project")

    assert_valid(run, project)
    configuration = read(project, "kubernetes/configmap.yaml")["data"]
    assert [configuration[name] for name in ("WORDS", "null", "E")] == [text] * 3
    environment = read(project, "compose.yaml")["services"]["node"]["environment"]
    assert environment["WORDS"].replace("$$", "$") == text
    assert "$" not in environment["WORDS"].replace("$$", "")
    annotations = read(project, "kubernetes/service.yaml")["metadata"]["annotations"]
    assert json.loads(annotations["onex/service-tags"]) == [text[:200]]
    definition = json.loads((project / "deploy/service_manifest.json").read_text(encoding="utf-8"))
    assert definition == read(project, "service_manifest.yaml")
    assert definition["service"]["tags"] == [text[:200]]
    (module,) = project.glob("src/**/nodes/*/service.py")
    tree = ast.parse(module.read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    facts = values["SERVICE_FACTS"]
    assert isinstance(facts, ast.Call)
    assert ast.literal_eval(facts.keywords[0].value) == (text[:200],)
    assert run("ruff", "format", "--check", ".", cwd=project).returncode == 0
    described = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    deployment = read(project, "kubernetes/deployment.yaml")
    assert deployment["metadata"]["annotations"]["kubernetes.io/description"] == described
    assert "canary" not in (project / "deploy/Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", ["image", "namespace"], ids=str)
def test_hostile_names_are_refused(run: Run, tmp_path: Path, template: Path, key: str) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(yaml.safe_dump(LOCK | {"deployment": {key: "x\n  evil: true"}}), encoding="utf-8")
    result = run("copier", "copy", "--trust", "--defaults", "--data-file", contract, template, tmp_path / "project")
    assert result.returncode == 1
    assert f"deployment.{key}" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "project").exists()


def test_every_part_of_the_view_is_used(root: Path) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (root / "template").rglob("*") if path.is_file())
    text += "".join(str(path) for path in (root / "template").rglob("*"))
    assert [name for name in DeployView.__slots__ if f"deploy.{name}" not in text] == []
