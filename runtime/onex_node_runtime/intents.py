# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What outputs of reducers want to be done, as ONEX's intents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omnibase_core.models.reducer.model_intent import ModelIntent
from omnibase_core.models.reducer.payloads import ModelPayloadExtension

if TYPE_CHECKING:
    from collections.abc import Sequence


def intents_of(node: str, results: Sequence[dict[str, Any]]) -> tuple[ModelIntent, ...]:
    """Return the intents in outputs.

    Args:
        node: The node's short name, with which the types of its intents start.
        results: The outputs; `intents` of each has `action` and `target`, and whatever else says what is to be done.
    """
    return tuple(_intent(node, intent) for result in results for intent in result.get("intents", ()))


def _intent(node: str, intent: dict[str, Any]) -> ModelIntent:
    payload = ModelPayloadExtension(
        extension_type=f"{node}.{intent['action']}", plugin_name=intent["target"], data=intent
    )
    return ModelIntent(intent_type=payload.intent_type, target=intent["target"], payload=payload)
