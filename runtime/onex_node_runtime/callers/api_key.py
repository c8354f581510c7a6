# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""An API key as settings hold it."""

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class ModelApiKey(BaseModel):
    """A key that is taken, as its hash.

    Attributes:
        name: Whose it is; several keys of one name are taken side by side, while one replaces another.
        sha256: SHA-256 of the key's text, in hexadecimal digits.
        scopes: What its owner may do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=100, pattern=r"^[!-~]+$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", repr=False)
    scopes: tuple[str, ...] = ()


_KEYS = TypeAdapter(tuple[ModelApiKey, ...])


def keys_in(text: str) -> tuple[ModelApiKey, ...]:
    """Return the keys in a JSON list of them; none in an empty text.

    Raises:
        ValueError: It is something else; nothing of the text is in the error.
    """
    if not text:
        return ()
    try:
        return _KEYS.validate_json(text)
    except ValidationError:
        message = 'should be a JSON list such as [{"name": "shop", "sha256": "64 hexadecimal digits", "scopes": []}]'
        raise ValueError(message) from None
