"""Holds nodes that `import-openapi` makes against the documents they are made of: `make imported DOCUMENTS="..."`.

Each document becomes a contract and a node, whose service runs on loopback with a stand-in of the API. Each operation
that needs no handler of a person's is asked with the examples of the node's own document; the stand-in refuses what
the API's document does not allow, and answers what that says.
"""

import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from examples.rendering import export_template, generate
from extensions.adopting.adopted import Adopted
from extensions.adopting.openapi import adopt, adopt_by_tag
from extensions.adopting.reference import BrokenError
from extensions.judging.judge import read

from .interface import served
from .mock_api import MockApi
from .nodes_page import is_custom

_PATIENCE_SECONDS = 30.0
_SECRET = re.compile(r"\$\{secret\.(\w+)\}")


@dataclass(slots=True)
class Held:
    """What came of a document, or of one of its tags.

    Attributes:
        operations: How many operations the node has.
        custom: Of these, the ones with a handler of a person's.
        answered: Of the others, those that gave their callers what the API answered.
        wrong: What was wrong: requests that the document does not allow, and answers of the node that are no success.
    """

    operations: int = 0
    custom: int = 0
    answered: int = 0
    wrong: list[str] = field(default_factory=list)


def held(adopted: Adopted, document: Path, template: Path, scratch: Path) -> Held:
    """Generate a node, and ask each of its operations while its API is the stand-in.

    Args:
        adopted: The contract that was made of the document.
        document: The document.
        template: A copy of the template.
        scratch: An empty folder.
    """
    raw = adopted.contract | {"validation_level": "none"}
    contract = read(raw)
    custom = {one.name for one in contract.operations if is_custom(one)}
    found = Held(len(contract.operations), len(custom))
    project = generate(template, raw, scratch / "node")
    log = scratch / "service.log"
    # Basic credentials are in base64, and any text is a token or a key.
    secrets = dict.fromkeys(_SECRET.findall(json.dumps(raw)), "c29tZW9uZTpzZWNyZXQ=")
    with MockApi(document) as api, served(project, log, secrets | {"HTTP_BASE_URL": api.url}) as url:
        with httpx.Client(base_url=url, timeout=_PATIENCE_SECONDS, trust_env=False) as client:
            paths = client.get("/openapi.json").json()["paths"]
            for path, item in paths.items():
                name = item.get("post", {}).get("operationId")
                if name is None or name in custom:
                    continue
                content = item["post"]["requestBody"]["content"]["application/json"]
                answers = [client.post(path, json=one["value"]) for one in content["examples"].values()]
                found.answered += all(answer.is_success for answer in answers)
                found.wrong += [f"{name}: {one.status_code} {one.text[:200]}" for one in answers if not one.is_success]
        found.wrong += api.refused
    return found


def main() -> int:
    """Print a line for each document that is named, and for each tag of one that no single node holds.

    Returns:
        The exit status: 1 where something was wrong.
    """
    wrong = False
    with tempfile.TemporaryDirectory() as scratch:
        template = export_template(Path(scratch) / "template")
        for document in map(Path, os.environ.get("DOCUMENTS", "").split()):
            try:
                nodes = [adopt(document)]
            except BrokenError:
                nodes = adopt_by_tag(document)
            for adopted in nodes:
                folder = Path(scratch) / document.stem / adopted.contract["name"]
                folder.mkdir(parents=True)
                found = held(adopted, document, template, folder)
                counted = {"operations": found.operations, "custom": found.custom, "answered": found.answered}
                print(f"{document.name} {adopted.contract['name']}: {json.dumps(counted)}", flush=True)
                print("\n".join(f"  {line}" for line in found.wrong), file=sys.stderr, flush=True)
                wrong = wrong or bool(found.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
