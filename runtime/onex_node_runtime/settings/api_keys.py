# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Whose API keys are taken."""

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from ..callers.api_key import ModelApiKey, keys_in
from .node import NodeSettings
from .types import SecretOrNone


class ApiKeySettings(NodeSettings):
    """Whose API keys are taken."""

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    service_api_keys: SecretOrNone = Field(
        default=None,
        description="API keys that are taken: a JSON list of objects with name, sha256 of the key, and scopes.",
    )

    @field_validator("service_api_keys")
    @classmethod
    def _readable(cls, text: SecretOrNone) -> SecretOrNone:
        if text is not None:
            keys_in(text.get_secret_value())
        return text

    @property
    def api_keys(self) -> tuple[ModelApiKey, ...]:
        """The keys that are taken."""
        return keys_in(self.service_api_keys.get_secret_value()) if self.service_api_keys else ()
