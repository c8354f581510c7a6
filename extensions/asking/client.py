"""Asks an endpoint that speaks the API of chat completions, and never says its key."""

import json
import os
import queue
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict
from urllib.parse import urlsplit

from ..text import credentials

KEY: Final = "OPENAI_API_KEY"
BASE_URL: Final = "OPENAI_BASE_URL"
MOST_TOKENS: Final = 8192
"""Tokens that an answer may have."""

FEWEST_TOKENS: Final = 1024
"""Tokens that an answer has to be allowed, to be of use."""

_LONGEST_ANSWER = 200_000
_LONGEST_REASON = 200
_RETRIES = 2
_PAUSES = 60.0
_REFUSED: Final = (400, 415, 422)
_FENCED = re.compile(r"^[ \t]*(```|~~~)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)


class Message(TypedDict):
    """A message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class AskingError(Exception):
    """There is no answer; the text says why, without the key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        text: The answer.
        prompt_tokens: Tokens that it was asked with, as the endpoint counts; estimated where it says nothing.
        answer_tokens: Tokens of the answer, likewise.
        is_cut: Whether it ended because it was as long as it may be.
    """

    text: str
    prompt_tokens: int
    answer_tokens: int
    is_cut: bool


def tokens_in(text: str) -> int:
    """Return how many tokens a text has at most, as it is estimated for texts and code."""
    return len(text.encode("utf-8", "replace")) // 3 + 1


def fenced(text: str) -> list[str]:
    """Return what stands in the fences of Markdown."""
    return [match[2] for match in _FENCED.finditer(text)]


class Model:
    """A model of an endpoint."""

    def __init__(self, name: str, base_url: str | None = None, *, seconds: float = 120.0) -> None:
        """Import the client.

        Args:
            name: The model, as the endpoint calls it.
            base_url: The endpoint; that of the environment, or the library's, when left out.
            seconds: How long one answer may take.

        Raises:
            AskingError: The library or the key is missing, or the URL is none.
        """
        try:
            import openai  # noqa: PLC0415 - it takes half a second, and is not installed for those who ask no model
        except ImportError as error:
            raise AskingError("A model is asked with the package openai: install copier-onex[llm].") from error
        base_url = base_url or os.environ.get(BASE_URL) or None
        _check(base_url)
        key = os.environ.get(KEY, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise AskingError(f"{KEY} holds characters that no key has.")
        if not key and not base_url:
            raise AskingError(f"{KEY} is not set. Set it, or name an endpoint that needs no key with --base-url.")
        self.name = name
        self._key = key
        # The client limits each read of a socket alone, and tries again.
        self._longest = (_RETRIES + 1) * seconds + _PAUSES
        self._library = openai
        self._form: Literal["json_schema", "json_object", "none"] = "json_schema"
        self._limit = "max_tokens"
        # What an endpoint without keys gets in the header is no secret.
        self._client = openai.OpenAI(api_key=key or "none", base_url=base_url, timeout=seconds, max_retries=_RETRIES)

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def ask(
        self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None, longest: int = MOST_TOKENS
    ) -> Answer:
        """Ask for one answer.

        Args:
            messages: The conversation.
            schema: What the answer is to be, as JSON Schema; asked for as JSON of any shape where the endpoint knows
                no schemas. Whether the answer fits is for the caller to see.
            longest: How many tokens the answer may have.

        Raises:
            AskingError: There is none: no connection, too late, refused, or nothing that can be read.
        """
        messages = [{"role": message["role"], "content": _encodable(message["content"])} for message in messages]
        sent = "\n".join(message["content"] for message in messages)
        if what := next(credentials.found_in(sent), None):
            raise AskingError(f"Nothing is sent: in what would be, {what[1]}.")
        while True:
            try:
                return self._answer(sent, self._create(self._request(messages, schema, longest)))
            except self._library.APIStatusError as error:
                if not self._is_given_way(error, asked=schema is not None):
                    raise AskingError(self._reason(error)) from None
            except self._library.APITimeoutError:
                raise AskingError(f"{self.name} took too long to answer.") from None
            except (self._library.OpenAIError, ValueError, TypeError, OSError) as error:
                raise AskingError(self._reason(error)) from None

    def _create(self, request: Mapping[str, Any]) -> Any:
        """Wait for an answer in a thread, so that one that never ends can be left alone."""
        ended: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

        def create() -> None:
            try:
                ended.put((self._client.chat.completions.create(**request), None))
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                ended.put((None, error))

        threading.Thread(target=create, daemon=True).start()
        try:
            reply, error = ended.get(timeout=self._longest)
        except queue.Empty:
            raise AskingError(f"{self.name} took too long to answer.") from None
        if error:
            raise error
        return reply

    def _request(self, messages: Sequence[Message], schema: Mapping[str, Any] | None, longest: int) -> dict[str, Any]:
        request: dict[str, Any] = {"model": self.name, "messages": list(messages), self._limit: longest}
        if schema is not None and self._form == "json_schema":
            form = {"name": "form", "strict": True, "schema": dict(schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": form}
        elif schema is not None and self._form == "json_object":
            request["response_format"] = {"type": "json_object"}
        return request

    def _is_given_way(self, error: Any, *, asked: bool) -> bool:
        """Ask for less where the endpoint refuses a parameter; tell whether there is less to ask for."""
        said = str(error)
        if error.status_code not in _REFUSED:
            return False
        if self._limit == "max_tokens" and "max_completion_tokens" in said:
            self._limit = "max_completion_tokens"
            return True
        if not asked or self._form == "none":
            return False
        self._form = "json_object" if self._form == "json_schema" else "none"
        return True

    def _answer(self, sent: str, reply: Any) -> Answer:
        try:
            choice = reply.choices[0]
            text = choice.message.content
        except (AttributeError, IndexError, TypeError):
            raise AskingError(f"{self.name} answered with no choice.") from None
        if text is not None and not isinstance(text, str):
            raise AskingError(f"{self.name} answered with no text.")
        text = _encodable((text or "")[:_LONGEST_ANSWER])
        usage = getattr(reply, "usage", None)
        return Answer(
            text,
            _counted(getattr(usage, "prompt_tokens", None), sent),
            _counted(getattr(usage, "completion_tokens", None), text),
            choice.finish_reason == "length",
        )

    def _reason(self, error: Exception) -> str:
        match error:
            case self._library.APIStatusError():
                said = f"{self.name}: the endpoint answered {error.status_code}: {_message(error.body)}"
            case self._library.APIConnectionError():
                said = f"{self.name}: the endpoint can't be reached: {error.__cause__ or error}"
            case ValueError():
                said = f"{self.name}: what the endpoint answered is no JSON."
            case _:
                said = f"{self.name}: {type(error).__name__}: {error}"
        said = said.replace(self._key, "***") if self._key else said
        shown = "".join(char if char.isprintable() else " " for char in said)
        return shown if len(shown) <= _LONGEST_REASON else f"{shown[: _LONGEST_REASON - 1]}\u2026"


def _encodable(text: str) -> str:
    """Return a text without halves of characters, which command lines and JSON can hold and nothing can write."""
    return text.encode("utf-8", "replace").decode()


def _check(base_url: str | None) -> None:
    if base_url is None:
        return
    try:
        parts = urlsplit(base_url)
        well = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        well, parts = False, urlsplit("")
    if not well:
        raise AskingError("The base URL is none: it is to begin with http:// or https://.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AskingError(f"The base URL holds more than an address. A key belongs into {KEY}.")


def _message(body: object) -> str:
    """Return what an endpoint says of its error, whose shape is everyone's own."""
    match body:
        case {"error": {"message": str(text)}} | {"message": str(text)} | {"error": str(text)} | str(text):
            return text
        case None:
            return "nothing more"
        case _:
            return json.dumps(body, default=str)


def _counted(count: object, text: str) -> int:
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else tokens_in(text)
