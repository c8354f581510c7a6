# Copied from copier-onex as it is, the same in every node. Change it in the template, not here.
"""What the dashboard and the alerts of a node watch, held against what the node shows."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

_QUOTED = re.compile(r"(['\"]).*?\1")
# What comes with a broker that answers, or with the first step of a workflow.
_LATER = ("consumer_lag_messages", "dead_letter_alert", "step_duration_seconds_bucket")


def unshown(folder: Path, text: str, prefix: str) -> set[str]:
    """Return the metrics that are watched and not shown.

    Args:
        folder: Where the dashboard and the alerts are.
        text: What the node shows.
        prefix: How the names of its metrics begin.
    """
    shown = set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE))
    metric = re.compile(rf"\b(?:{prefix}|process)_[a-z0-9_]+")
    # What stands in quotes is the value of a label, such as the name of an operation.
    watched = {name for expression in _expressions(folder) for name in metric.findall(_QUOTED.sub("", expression))}
    if sys.platform != "linux":
        watched = {name for name in watched if not name.startswith("process_")}
    return watched - shown - {f"{prefix}_{name}" for name in _LATER}


def _expressions(folder: Path) -> Iterator[str]:
    board = json.loads((folder / "dashboard.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    rules = yaml.safe_load((folder / "alerts.yaml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
