"""Descriptions become contracts that the judge passes, or are refused with what to add."""

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.commands.draft_contract import main
from extensions.drafting.draft import TooLittleError, draft
from extensions.drafting.fields import fields_in
from extensions.drafting.guess import GAZETTEER, VERBS, base_form
from extensions.drafting.learned import SURE, WEIGHTS
from extensions.drafting.prose import LONGEST
from extensions.judging.judge import judge
from extensions.language.classify import NODE_TYPES
from extensions.text.nouns import plural, singular
from scripts import corpus
from tests.contracts.render import Renderer

PHRASES = [phrase for listed in GAZETTEER["integrations"].values() for phrase in listed]
WORDS = """\
a an the its and or , . : ; - # with fields id name email class from import order user status: open closed (optional) ->
takes returns NodeXEffect NodeClassReducer node_y_compute CRUD for PostgreSQL Redis Kafka list[int] price? int uuid $1
${input.a} {{ 7*7 }} ''' " \\ TODO manager handler helper process self None json tests
"""
PIECES = st.one_of(
    st.sampled_from([*sorted(VERBS), *PHRASES]),
    st.sampled_from(["\n- ", "\n# ", "\n\n", *WORDS.split()]),
    st.text(max_size=12),
)
TEXTS = st.lists(PIECES, max_size=40).map(" ".join)


@settings(max_examples=400, deadline=None)
@given(TEXTS, st.none() | st.sampled_from(sorted(NODE_TYPES)))
def test_any_text_is_drafted_into_a_valid_contract_or_refused(text: str, node_type: str | None) -> None:
    try:
        made = draft(text, node_type=node_type)
    except TooLittleError:
        return
    assert list(map(str, judge(made.contract))) == []
    # Comments stay comments, and the document says what was judged.
    assert yaml.safe_load(made.document()) == made.contract
    assert draft(text, node_type=node_type).document() == made.document()


def test_the_corpus_is_understood() -> None:
    found = corpus.figures(corpus.CORPUS)

    assert len(corpus.entries(corpus.CORPUS)) >= 40
    assert found.types[0] / found.types[1] >= 0.9
    assert found.operations[0] / found.operations[1] >= 0.9
    assert found.sure_and_wrong == ()


def test_types_hold_for_descriptions_that_nothing_was_learned_from() -> None:
    found = corpus.figures(corpus.UNSEEN)
    learned = {entry["text"] for path in (corpus.CORPUS, *corpus.TAUGHT) for entry in corpus.entries(path)}

    assert not learned & {entry["text"] for entry in corpus.entries(corpus.UNSEEN)}
    assert found.types[1] >= 150
    assert found.types[0] / found.types[1] >= 0.9
    assert found.refused[0] / found.refused[1] >= 0.85
    assert found.sure_and_wrong == ()


def test_weights_are_learned_from_the_descriptions_as_they_are() -> None:
    assert json.loads(WEIGHTS.read_text(encoding="utf-8"))["digest"] == corpus.digest(), "run make classifier"


@pytest.mark.parametrize(
    "entry",
    [entry for entry in corpus.entries(corpus.CORPUS) if entry.get("type") == "refused" or entry.get("says")],
    ids=repr,
)
def test_what_says_too_little_is_refused_or_stays_unsure(entry: dict[str, str]) -> None:
    try:
        made = draft(entry["text"])
    except TooLittleError:
        return
    assert entry.get("type") != "refused"
    assert {guess.place: guess.confidence for guess in made.guesses}["node_type"] <= SURE


def test_fields_make_a_table_and_its_statements() -> None:
    made = draft("CRUD for orders in PostgreSQL with fields user, total, tags and status: open, closed").contract

    assert made["models"]["Order"]["fields"] == {
        "order_id": "uuid",
        "user": "string",
        "total": "decimal",
        "tags": {"type": "array", "items": "string"},
        "status": "OrderStatus",
    }
    assert made["enums"] == {"OrderStatus": ["open", "closed"]}
    sql = made["integrations"]["database"]["migrations"][0]["sql"]
    assert '"user" text NOT NULL' in sql
    assert "tags text[] NOT NULL" in sql
    assert [operation["name"] for operation in made["operations"]] == [
        *("create_order", "get_order", "update_order", "delete_order", "list_orders")
    ]


def test_states_may_go_round_without_an_end() -> None:
    made = draft("A reducer node for stock: from full to low on sell, from low to full on refill.").contract

    assert made["subcontracts"]["fsm"]["states"].keys() == {"full", "low"}
    assert "handler" not in made["operations"][0]


def test_states_make_a_machine() -> None:
    made = draft("A reducer node for parcels: from packed to sent on send, from sent to lost.").contract

    machine = made["subcontracts"]["fsm"]
    assert machine["initial_state"] == "packed"
    assert machine["terminal_states"] == ["lost"]
    assert [transition["trigger"] for transition in machine["transitions"]] == ["send", "to_lost"]


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("name, email and age (optional)", {"name": "string", "email": "string", "age": "integer"}),
        ("user_id: uuid, tags: list of strings", {"user_id": "uuid", "tags": "array"}),
        ("amount: decimal, paid?: bool", {"amount": "decimal", "paid": "boolean"}),
        ("class, created_at, is_open", {"class_value": "string", "created_at": "datetime", "is_open": "boolean"}),
    ],
)
def test_lists_of_fields(text: str, types: dict[str, str]) -> None:
    assert {field.name: field.spec["type"] for field in fields_in(text)} == types


def test_optional_fields() -> None:
    optional = {
        field.name for field in fields_in("a, b?, c (optional), d: int?") if not field.spec.get("required", True)
    }

    assert optional == {"b", "c", "d"}


@pytest.mark.parametrize(
    ("form", "verb"), [("stores", "store"), ("applies", "apply"), ("stopping", "stop"), ("tables", "")]
)
def test_verbs_in_their_base_form(form: str, verb: str) -> None:
    assert base_form(form) == verb


@pytest.mark.parametrize("noun", ["order", "category", "address", "box", "branch", "status"])
def test_plurals_and_back(noun: str) -> None:
    assert singular(plural(noun)) == noun


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Die Zählerstände der Stadt: effect node", "zahlerstande_stadt"),
        ("The cellar's readings, as an effect", "cellar_readings"),
        ("Un cálculo de cuotas, as a compute", "calculo_cuotas"),
    ],
)
def test_names_are_made_without_accents_owners_and_articles(text: str, name: str) -> None:
    assert draft(text).contract["name"] == name


def test_what_is_denied_is_not_heard() -> None:
    made = draft("An effect node that reads orders from PostgreSQL, without Redis and with no retry.").contract

    assert set(made["dependencies"]) == {"postgres"}
    assert "features" not in made


def test_the_command_writes_a_file_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "node.yaml"
    arguments = ["CRUD for notes in PostgreSQL with title and body", "--package", "note_nodes", "-o", str(target)]

    assert main(arguments) == 0
    written = target.read_text(encoding="utf-8")
    assert yaml.safe_load(written)["package"] == "note_nodes"
    assert main(arguments) == 1
    assert "exists" in capsys.readouterr().err
    assert target.read_text(encoding="utf-8") == written
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"x" * (LONGEST + 1), b"", b"Make something nice"], ids=["bytes", "long", "empty", "vague"]
)
def test_what_cannot_be_drafted_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes) -> None:
    (tmp_path / "prd.md").write_bytes(content)

    assert main(["--file", str(tmp_path / "prd.md"), "-o", str(tmp_path / "node.yaml")]) == 1
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err
    assert "Traceback" not in found.err
    assert not (tmp_path / "node.yaml").exists()


def test_the_guesses_say_where_they_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Create NodeTokenEffect that issues and revokes tokens in PostgreSQL"]) == 0
    comments = [line for line in capsys.readouterr().out.splitlines() if line.startswith("# - ")]

    assert any(re.fullmatch(r'# - name: token \(97%, from "NodeTokenEffect"\)', line) for line in comments)
    assert any("operations.issue_token" in line for line in comments)


@pytest.mark.slow
def test_drafts_generate(template: Path, tmp_path: Path) -> None:
    renderer = Renderer(template)
    seen: set[str] = set()
    for entry in corpus.entries(corpus.CORPUS):
        made = corpus.drafted(entry["text"])
        if made is None:
            continue
        kinds = {key for operation in made.contract["operations"] for key in operation} | {made.contract["node_type"]}
        if kinds <= seen:
            continue
        seen |= kinds
        project = renderer.render(made.contract, tmp_path / made.contract["name"])
        for path in project.rglob("*.py"):
            compile(path.read_text(encoding="utf-8"), path.name, "exec")
