# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Regular expressions that are searched for in time that grows with the text alone."""

from typing import Any

from pydantic_core import CoreSchema, SchemaError, SchemaValidator, core_schema


class LinearPattern:
    """A regular expression as pydantic reads those of fields, by an engine that never goes back.

    Attributes:
        pattern: The expression, without look-around and back-references, which the engine does not know.
    """

    def __init__(self, pattern: str) -> None:
        """Compile it.

        Args:
            pattern: The expression.

        Raises:
            ValueError: When it is none, or one that the engine does not take.
        """
        self.pattern = pattern
        try:
            self._validator = SchemaValidator(core_schema.str_schema(pattern=pattern))
        except SchemaError as error:
            message = str(error).strip().splitlines()[-1].strip()
            raise ValueError(message) from error

    def search(self, text: str) -> bool:
        """Tell whether some part of a text matches."""
        # The engine takes no halves of characters; they stand for something that is no letter.
        return self._validator.isinstance_python(text.encode("utf-8", "replace").decode("utf-8"))

    def __repr__(self) -> str:
        """Return the code that makes it."""
        return f"LinearPattern({self.pattern!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: Any) -> CoreSchema:
        """Let settings hold patterns, which the environment gives as text."""
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True)),
            ],
            mode="left_to_right",
            serialization=core_schema.plain_serializer_function_ser_schema(lambda made: made.pattern),
        )
