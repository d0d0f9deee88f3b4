"""What the manifests of deploy/ promise, held without a cluster."""

import importlib
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from lianhu_kit.leaving import LONGEST_SECONDS
from lianhu_kit.settings import ServiceSettings, load
from lianhu_kit.worker import Work
from lianhu_tools.topology import SERVICES
from support.manifests import DEPLOY, OVERLAYS, Manifest, build, differences, only, overlay, pods, selects

ROOT = DEPLOY.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
COMPONENT = "app.kubernetes.io/component"
# Read by the program's frame and not by the settings.
OUTSIDE_SETTINGS = {"LIANHU_SECRETS_DIRECTORY", "FORWARDED_ALLOW_IPS", "LIANHU_GATEWAY_URL"}
# What is used here of KEDA's ScaledObject: its whole schema is not among those of Kubernetes itself.
SCALED_OBJECT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "properties": {
        "apiVersion": {"const": "keda.sh/v1alpha1"},
        "kind": {"const": "ScaledObject"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": {
            "type": "object",
            "additionalProperties": False,
            "required": ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "triggers"],
            "properties": {
                "scaleTargetRef": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {"name": {"type": "string"}},
                },
                "minReplicaCount": {"type": "integer", "minimum": 1},
                "maxReplicaCount": {"type": "integer", "minimum": 1},
                "pollingInterval": {"type": "integer", "minimum": 1},
                "cooldownPeriod": {"type": "integer", "minimum": 0},
                "advanced": {"type": "object"},
                "triggers": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["type", "metadata"],
                        "properties": {
                            "type": {"const": "kafka"},
                            "metadata": {
                                "type": "object",
                                "additionalProperties": {"type": "string"},
                                "required": ["bootstrapServers", "consumerGroup", "topic", "lagThreshold"],
                            },
                        },
                    },
                },
            },
        },
    },
}


@pytest.fixture(scope="module", params=OVERLAYS)
def manifests(request: pytest.FixtureRequest) -> list[Manifest]:
    return overlay(request.param)


def test_every_object_keeps_its_schema(manifests: list[Manifest]) -> None:
    for each in manifests:
        if each["kind"] == "ScaledObject":
            jsonschema.validate(each, SCALED_OBJECT)
        else:
            kubernetes_validate.validate(each, "1.37", strict=True)
    named = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(named) == len(set(named))


def test_a_wrong_object_is_found() -> None:
    broken = only(overlay("village"), "Deployment")["requests"]
    broken["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, "1.37", strict=True)


def test_overlays_say_how_much_and_nothing_else(manifests: list[Manifest]) -> None:
    plain = {(each["kind"], each["metadata"]["name"]): each for each in build(DEPLOY / "base")}
    assert len(plain) == len(manifests)
    allowed = ("/spec/replicas", "/spec/minReplica", "/spec/maxReplica", "/spec/template/spec/containers/0/resources/")
    for each in manifests:
        for place in differences(plain[each["kind"], each["metadata"]["name"]], each):
            assert place.startswith(allowed), place


def test_every_process_is_there_with_its_own_secret(manifests: list[Manifest]) -> None:
    found = pods(manifests)
    names = {name for s in SERVICES for name in (f"Deployment/{s}", f"Deployment/{s}-worker", f"Job/{s}-migrate")}
    assert found.keys() == names | {"Deployment/gateway", "Job/topics"}
    for service in SERVICES:
        for name, word, role in (
            (f"Deployment/{service}", "api", "api"),
            (f"Deployment/{service}-worker", "worker", "worker"),
            (f"Job/{service}-migrate", "migrate", "owner"),
        ):
            (container,) = found[name]["spec"]["containers"]
            assert (container["image"], container["args"]) == (f"lianhu/{service}:{VERSION}", [word])
            secrets = {v["secret"]["secretName"] for v in found[name]["spec"]["volumes"] if "secret" in v}
            keys = {"requests-signing-keys"} if name == "Deployment/requests" else set()
            assert secrets == {f"{service}-{role}"} | keys


def test_nobody_has_more_rights_than_it_needs(manifests: list[Manifest]) -> None:
    for name, template in pods(manifests).items():
        spec = template["spec"]
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "initContainers"}, name
        assert spec["automountServiceAccountToken"] is False, name
        # They would be read as settings: REQUESTS_PORT=tcp://…
        assert spec["enableServiceLinks"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            right = container["securityContext"]
            assert right["allowPrivilegeEscalation"] is False, name
            assert right["readOnlyRootFilesystem"] is True, name
            assert right["capabilities"]["drop"] == ["ALL"], name
            added = ["NET_BIND_SERVICE"] if name == "Deployment/gateway" else []
            assert right["capabilities"].get("add", []) == added, name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}, name
            image, _, tag = container["image"].rpartition(":")
            assert image, name
            assert tag != "latest", name
        for volume in spec.get("volumes", ()):
            assert volume.keys() - {"name"} <= {"emptyDir", "secret", "configMap"}, name


def test_no_secret_stands_in_the_files_and_every_one_is_told_of(manifests: list[Manifest]) -> None:
    assert not only(manifests, "Secret")
    readme = (DEPLOY / "README.md").read_text("utf-8")
    for name, template in pods(manifests).items():
        for volume in template["spec"]["volumes"]:
            if "secret" in volume:
                assert f"`{volume['secret']['secretName']}`" in readme, name
        for container in template["spec"]["containers"]:
            assert not [each for each in container.get("env", ()) if "PASSWORD" in each["name"]]


def test_processes_are_probed_and_have_time_to_leave(manifests: list[Manifest]) -> None:
    for name, deployment in only(manifests, "Deployment").items():
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert spec["terminationGracePeriodSeconds"] >= LONGEST_SECONDS + 5, name
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}, name
        ready = "/healthz" if name == "gateway" else "/readyz"
        for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", ready)):
            assert container[probe]["httpGet"] == {"path": path, "port": "http"}, name
        keys = {each["topologyKey"] for each in spec["topologySpreadConstraints"]}
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}, name
        for each in spec["topologySpreadConstraints"]:
            assert selects(each["labelSelector"], deployment["spec"]["template"]["metadata"]["labels"]), name


@pytest.mark.parametrize("service", SERVICES)
def test_the_settings_are_those_of_the_service(service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifests = overlay("county")
    maps = only(manifests, "ConfigMap")
    settings: type[ServiceSettings] = importlib.import_module(f"{service}_service.settings").Settings
    known = {field.validation_alias.choices[0] for field in settings.model_fields.values()}  # type: ignore[union-attr]
    given = {**maps["lianhu-settings"]["data"], **maps[f"{service}-settings"]["data"]}
    assert given.keys() <= known | OUTSIDE_SETTINGS
    assert not [name for name, value in given.items() if not isinstance(value, str)]
    for variable in known:
        monkeypatch.delenv(str(variable), raising=False)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    (tmp_path / f"{service.upper()}_DATABASE_URL").write_text("postgresql://nobody@stores/nothing")
    monkeypatch.setenv("LIANHU_SECRETS_DIRECTORY", str(tmp_path))
    told = load(settings)
    assert (told.host, told.local) == ("0.0.0.0", False)  # noqa: S104 - inside a pod
    found = pods(manifests)
    for name, port in ((f"Deployment/{service}", told.port), (f"Deployment/{service}-worker", told.worker_port)):
        (container,) = found[name]["spec"]["containers"]
        assert container["ports"] == [{"name": "http", "containerPort": port}]
        assert {each["configMapRef"]["name"] for each in container["envFrom"]} == {
            "lianhu-settings",
            f"{service}-settings",
        }
        mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
        assert mounted[str(told.state_directory)] == "state"
        assert mounted[given["LIANHU_SECRETS_DIRECTORY"]] == "database"
        volumes = {each["name"]: each for each in found[name]["spec"]["volumes"]}
        assert "emptyDir" in volumes["state"]
        assert set(mounted.values()) == set(volumes)
    if service == "requests":
        assert mounted_at(found["Deployment/requests"], "signing-keys") == given["REQUESTS_SIGNING_KEYS"]


def mounted_at(template: Manifest, volume: str) -> str:
    (container,) = template["spec"]["containers"]
    (path,) = [str(each["mountPath"]) for each in container["volumeMounts"] if each["name"] == volume]
    return path


def test_services_and_budgets_find_their_pods(manifests: list[Manifest]) -> None:
    labels = {name: template["metadata"]["labels"] for name, template in pods(manifests).items()}
    for name, service in only(manifests, "Service").items():
        hit = [pod for pod, each in labels.items() if selects({"matchLabels": service["spec"]["selector"]}, each)]
        assert hit == [f"Deployment/{name}"]
    for name, budget in only(manifests, "PodDisruptionBudget").items():
        hit = [pod for pod, each in labels.items() if selects(budget["spec"]["selector"], each)]
        assert hit == [f"Deployment/{name}"]
        assert budget["spec"]["maxUnavailable"] == 1
    assert only(manifests, "PodDisruptionBudget").keys() == only(manifests, "Deployment").keys()
    for name, deployment in only(manifests, "Deployment").items():
        assert selects(deployment["spec"]["selector"], labels[f"Deployment/{name}"])


def test_workers_scale_by_the_lag_of_what_they_read(manifests: list[Manifest]) -> None:
    declared = yaml.safe_load((ROOT / "shared" / "contracts" / "topics.yaml").read_text("utf-8"))["topics"]
    partitions = {each["name"]: each["partitions"] for each in declared}
    bootstrap = only(manifests, "ConfigMap")["lianhu-settings"]["data"]["LIANHU_KAFKA_BOOTSTRAP"]
    scaled = only(manifests, "ScaledObject")
    assert scaled.keys() == {f"{service}-worker" for service in SERVICES}
    for service in SERVICES:
        spec = scaled[f"{service}-worker"]["spec"]
        assert spec["scaleTargetRef"] == {"name": f"{service}-worker"}
        triggers = [each["metadata"] for each in spec["triggers"]]
        assert {each["topic"] for each in triggers} == set(work_of(service).topics)
        assert {(each["consumerGroup"], each["bootstrapServers"]) for each in triggers} == {(service, bootstrap)}
        assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]
        assert spec["maxReplicaCount"] <= min(partitions[each["topic"]] for each in triggers)


def work_of(service: str) -> Work:
    """What a service's worker reads."""
    app: Any = importlib.import_module(f"{service}_service.app")
    settings = importlib.import_module(f"{service}_service.settings").Settings(
        database_url="postgresql://nobody@stores/nothing", auth_jwks="none.json"
    )
    make = {"dispatch": "worker", "reporting": "create_work"}.get(service, "work")
    work: Work = getattr(app, make)(settings)
    return work


def test_apis_scale_by_their_work_and_nobody_else_counts_them(manifests: list[Manifest]) -> None:
    scaled = only(manifests, "HorizontalPodAutoscaler")
    assert scaled.keys() == set(SERVICES)
    deployments = only(manifests, "Deployment")
    for name, each in scaled.items():
        assert each["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert 1 <= each["spec"]["minReplicas"] <= each["spec"]["maxReplicas"]
    # A number of replicas in the file would undo the autoscaler's at every apply.
    assert [name for name, each in deployments.items() if "replicas" in each["spec"]] == ["gateway"]


def test_nobody_reaches_anybody_but_as_said(manifests: list[Manifest]) -> None:
    policies = only(manifests, "NetworkPolicy")
    nobody = policies.pop("nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = [template["metadata"]["labels"] for template in pods(manifests).values()]
    for name, policy in policies.items():
        spec = policy["spec"]
        assert any(selects(spec["podSelector"], each) for each in labels), name
        assert {word.lower() for word in spec["policyTypes"]} == spec.keys() & {"ingress", "egress"}, name
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
            assert rule["ports"], name
            if name != "gateway":
                assert rule.keys() & {"from", "to"}, name
            for peer in (*rule.get("from", ()), *rule.get("to", ())):
                if "podSelector" in peer:
                    assert any(selects(peer["podSelector"], each) for each in labels), name
    # Only an API, its worker and its migrations reach the stores; the gateway does not.
    gateway = next(each for each in labels if each[COMPONENT] == "gateway")
    assert not selects(policies["stores"]["spec"]["podSelector"], gateway)


def test_the_gateway_runs_the_routes_that_were_tried(manifests: list[Manifest]) -> None:
    routes = only(manifests, "ConfigMap")["gateway-routes"]["data"]
    assert routes == {"Caddyfile": (DEPLOY / "caddy" / "Caddyfile").read_text("utf-8")}
    services = only(manifests, "Service")
    for service in SERVICES:
        assert f"name {service}\n\t\t\tport {services[service]['spec']['ports'][0]['port']}\n" in routes["Caddyfile"]
