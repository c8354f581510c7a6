"""Keeps code that was compiled, between runs and by its content: a template lies in another folder at each run."""

import hashlib
import marshal
import os
from contextlib import suppress
from pathlib import Path

_KEPT_FILES = 4
_LARGEST = 32 * 1024 * 1024
_DIGEST_BYTES = hashlib.sha256().digest_size


class KeptCode:
    """Code by digests of what it was compiled from, in a file of the cache folder."""

    def __init__(self, folder: Path, kind: str, version: str) -> None:
        """Load what earlier runs compiled.

        Args:
            folder: The cache folder, which need not exist.
            kind: What the file's name begins with.
            version: What, besides the digests, decides what the code is.
        """
        self._pattern = f"{kind}-*.bin"
        self._file = folder / f"{kind}-{version}.bin"
        self._loaded = self._read()
        self._new: dict[bytes, bytes] = {}

    def get(self, digest: bytes) -> bytes | None:
        """Return marshalled code, whole as it was written; None where there is none."""
        return self._loaded.get(digest)

    def add(self, digest: bytes, code: bytes) -> None:
        """Take marshalled code, for `save`."""
        self._new[digest] = code

    def _read(self) -> dict[bytes, bytes]:
        with suppress(OSError, ValueError, EOFError, TypeError):
            content = self._file.read_bytes()
            body = content[_DIGEST_BYTES:]
            if hashlib.sha256(body).digest() == content[:_DIGEST_BYTES]:
                loaded: dict[bytes, bytes] = marshal.loads(body)  # noqa: S302  # as it was written
                return loaded
        return {}

    def save(self) -> None:
        """Keep what is new for the next run; a folder that can't be written to costs time, nothing else."""
        if not self._new:
            return
        import tempfile  # noqa: PLC0415  # most runs keep nothing new, and all of them import this

        merged = self._read() | self._new
        body = marshal.dumps(merged if sum(map(len, merged.values())) < _LARGEST else self._new)
        self._loaded, self._new = self._loaded | self._new, {}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).digest() + body)
            Path(name).replace(self._file)
            files = sorted(self._file.parent.glob(self._pattern), key=lambda path: path.stat().st_mtime)
            for path in files[:-_KEPT_FILES]:
                path.unlink(missing_ok=True)
