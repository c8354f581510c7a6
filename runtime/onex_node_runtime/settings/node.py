# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""What the settings of every node can do."""

from typing import Any

from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class NodeSettings(BaseSettings):
    """Settings of a node; every field is an environment variable of its name in upper case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    def require(self, name: str) -> str:
        """Return a setting that something can't do without.

        Args:
            name: The setting.

        Returns:
            Its value, a secret one as it is.

        Raises:
            ModelOnexError: CONFIGURATION_NOT_FOUND when it is not set.
        """
        value = getattr(self, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")
        if not text:
            field = type(self).model_fields[name]
            raise ModelOnexError(
                message=f"{field.validation_alias or name.upper()} is not set.",
                error_code=EnumCoreErrorCode.CONFIGURATION_NOT_FOUND,
            )
        return text

    @property
    def masked_fields(self) -> tuple[str, ...]:
        """Names of fields whose values are masked."""
        return ()

    def cleaned(self, value: Any) -> Any:
        """Return a value of JSON as logs and errors may show it; these settings know of nothing to mask.

        Args:
            value: The value.
        """
        return value

    def redact(self, text: str) -> str:
        """Return the text with every secret of these settings masked.

        Args:
            text: Any text that may leave the process, such as the message of a driver's error.

        Returns:
            The text, each secret value in it replaced by `***`.
        """
        secrets = {value.get_secret_value() for value in self.__dict__.values() if isinstance(value, SecretStr)}
        # The longest first: the rest of one that holds another would be left to read.
        for secret in sorted(secrets - {""}, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text
