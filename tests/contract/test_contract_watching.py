"""Dashboard, alert rules and the operator's pages: they name only what there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from lianhu_kit import metrics

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "deploy" / "grafana" / "lianhu.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
PAGES = ROOT / "docs" / "operations.md"
ELSEWHERE = {"up"}
WORDS = {
    "sum", "max", "by", "rate", "increase", "histogram_quantile", "time", "and", "or", "vector",
    "le", "service", "topic", "pool", "status", "type", "route", "outcome", "table",
}  # fmt: skip


def known() -> set[str]:
    """Every sample that the code's metrics can give."""
    samples: set[str] = set()
    for found in vars(metrics).values():
        if isinstance(found, MetricWrapperBase):
            registry = CollectorRegistry()
            registry.register(found)
            for family in registry.collect():
                suffixes = {"histogram": ["_bucket", "_count", "_sum"], "counter": ["_total"]}.get(family.type, [""])
                samples |= {family.name + suffix for suffix in suffixes}
    return samples


def alerts() -> list[dict[str, Any]]:
    """All alert rules."""
    groups: list[dict[str, Any]] = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    """Every expression that the dashboard draws or an alert asks."""
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]] + [rule["expr"] for rule in alerts()]


def anchors() -> set[str]:
    """The headings of the operator's pages, as links name them."""
    headings = re.findall(r"^#+ (.+)$", PAGES.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_names_only_metrics_that_the_code_has_and_closes_what_it_opens(expression: str) -> None:
    bare = re.sub(r'"[^"]*"', '""', expression)
    for opened, closed in ("()", "[]", "{}"):
        assert bare.count(opened) == bare.count(closed)
    names = set(re.findall(r"[a-z_]{2,}", re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)))
    assert names - WORDS - ELSEWHERE <= known()
    assert names & (known() | ELSEWHERE)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_since_when_and_where_its_page_is(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["annotations"]["summary"]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert ROOT / page == PAGES
    assert anchor in anchors(), f"docs/operations.md has no heading for {rule['alert']}"


def test_no_metric_has_a_label_of_people_or_villages() -> None:
    allowed = {"service", "route", "method", "status", "type", "topic", "outcome", "kind", "table", "pool"}
    for found in vars(metrics).values():
        if isinstance(found, MetricWrapperBase):
            assert set(found._labelnames) <= allowed
            assert found._documentation
