"""Drafts of a model are judged like any other, and the rules stand behind it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from extensions.asking import client
from extensions.commands.draft_contract import main
from extensions.drafting.form import FORM, FormError, drafted
from extensions.judging.judge import judge
from scripts import corpus
from tests.asking.endpoint import KEY, MODEL, Reply, error, interrupted, serving

TEXT = "CRUD for notes in PostgreSQL with title and body"


def field(name: str, kind: str = "string", items: str | None = None, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "type": kind, "items": items, "required": required}


def form(**changes: Any) -> dict[str, Any]:
    """Return a form that is filled in well."""
    return {
        "name": "note_store",
        "node_type": "effect",
        "description": "Keep notes.",
        "features": ["retry"],
        "integrations": ["postgres"],
        "enums": [{"name": "NoteKind", "values": ["private", "shared"]}],
        "models": [
            {"name": "Note", "fields": [field("title"), field("body", required=False), field("kind", "NoteKind")]}
        ],
        "operations": [
            operation("create_note", crud="create", model="Note", words="CRUD for notes"),
            operation("list_notes", crud="list", model="Note", words="what nobody said"),
            operation("summarize_note", input=[field("title")], output=[field("tags", "array", "string")]),
        ],
        "transitions": [],
    } | changes


def operation(name: str, **changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "name": name,
        "description": "Do it.",
        "crud": None,
        "model": None,
        "input": [],
        "output": [],
        "words": "",
    }
    return whole | changes


GOOD = json.dumps(form())


def run(url: str, *options: str) -> int:
    return main([TEXT, "--model", MODEL, "--base-url", url, *options])


def test_a_form_becomes_a_contract_with_sql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "node.yaml"
    with serving([GOOD]) as endpoint:
        assert run(endpoint.url, "-o", str(target), "--price-in", "1", "--price-out", "2") == 0

    written = target.read_text(encoding="utf-8")
    assert f"# Drafted from a description by {MODEL}." in written
    assert '# - operations.create_note: SQL (80%, from "CRUD for notes")' in written
    assert "# - operations.list_notes: SQL (50%, nothing says it)" in written
    contract = yaml.safe_load(written)
    assert judge(contract) == []
    assert "INSERT INTO notes (title, body, kind)" in contract["operations"][0]["database"]["query"]
    assert contract["operations"][2]["handler"] == "custom"
    report = json.loads((tmp_path / "build" / "draft.json").read_text(encoding="utf-8"))
    assert (report["strategy"], report["model"], report["attempts"]) == ("hybrid", MODEL, 1)
    assert report["operations"][0]["outcome"] == "model"
    assert report["cost_usd"] == pytest.approx((1000 * 1 + 200 * 2) / 1e6)
    assert KEY not in json.dumps(report) + "".join(capsys.readouterr())


def test_what_is_asked() -> None:
    with serving([GOOD]) as endpoint:
        run(endpoint.url, "--node-type", "effect")

    (request,) = endpoint.requests
    assert request["response_format"]["json_schema"]["schema"] == FORM
    assert request["messages"][1]["content"] == f"BEGIN\n{TEXT}\nEND\nIts node_type is effect."


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("no JSON at all", "The answer is no JSON"),
        ("[" * 100_000, "The answer is no JSON"),
        (json.dumps(form(node_type="service")), "node_type"),
        (json.dumps({"name": "note"}), "'models' is a required property"),
        (json.dumps(form(operations=[])), "operations"),
        (json.dumps(form(name="Not A Name")), "name"),
        (json.dumps(form(operations=[operation("a"), operation("a")])), "stands there twice"),
        (json.dumps(form(operations=[operation(f"run_{n}") for n in range(30)])), "expected at most"),
        (json.dumps(form(models=[{"name": "Note", "fields": [field("class"), field("x", "Nothing")]}])), "Nothing"),
        (json.dumps(form(enums=[{"name": "NoteKind", "values": []}])), "NoteKind"),
        (Reply(GOOD[:200], finish="length"), "cut off"),
        (Reply(""), "The answer is no JSON"),
    ],
)  # fmt: skip
def test_problems_are_sent_back(bad: Reply | str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([bad, GOOD]) as endpoint:
        assert run(endpoint.url) == 0

    last = endpoint.requests[1]["messages"]
    assert last[2]["content"] == (bad.text if isinstance(bad, Reply) else bad)
    assert told in last[3]["content"]


@pytest.mark.parametrize("answer", [f"Here you are:\n```json\n{GOOD}\n```\nEnjoy!", f"Sure! {GOOD} Anything else?"])
def test_words_around_json_do_no_harm(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([answer]) as endpoint:
        assert run(endpoint.url) == 0
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("refused", [["json_schema"], ["json_schema", "json_object"]])
def test_endpoints_without_schemas_are_asked_for_less(
    refused: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def answer(request: Mapping[str, Any]) -> Reply | str:
        if "max_tokens" in request:
            return error(400, "Use 'max_completion_tokens' instead.")
        if request.get("response_format", {}).get("type") in refused:
            return error(400, "response_format is not supported")
        return GOOD

    with serving(answer) as endpoint:
        assert run(endpoint.url, "--strategy", "model") == 0
    assert len(endpoint.requests) == 2 + len(refused)


FAILURES: dict[str, Reply | str] = {
    "wrong for ever": "no",
    "unauthorized": error(401, f"Incorrect API key provided: {KEY}."),
    "rate limited for ever": error(429, "slow down", retry_after_ms="1"),
    "broken for ever": error(500, "oops", retry_after_ms="1"),
    "HTML": Reply(body="<html>", content_type="text/html"),
    "HTML that says it is JSON": Reply(body="<html>"),
    "another shape": Reply(body="[1, 2]"),
    "no choices": Reply(body='{"choices": []}'),
    "null": Reply(body="null"),
    "too late": Reply(GOOD, seconds=0.6),
    "half a character": Reply(body='{"choices": [{"message": {"content": "\\ud800"}, "finish_reason": "stop"}]}'),
}


@pytest.mark.parametrize("name", FAILURES)
def test_the_rules_stand_behind_a_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([FAILURES[name]]) as endpoint:
        assert run(endpoint.url, "--timeout", "0.2" if name == "too late" else "5") == 0
        assert len(endpoint.requests) <= 9

    out, err = capsys.readouterr()
    assert "The draft is the rules' own: " in err
    assert f"# Drafted from a description by rules, since {MODEL} made none." in out
    report = (tmp_path / "build" / "draft.json").read_text(encoding="utf-8")
    assert json.loads(report)["operations"][0]["outcome"] == "rules"
    assert KEY not in out + err + report


def test_an_answer_that_drips_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(client, "_PAUSES", 0.0)
    with serving([Reply(GOOD, drip=0.1)]) as endpoint:
        assert run(endpoint.url, "--timeout", "0.3") == 0
    assert "took too long" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["\n", "a\nb", "schl\u00fcssel"])
def test_a_key_that_is_none_is_not_shown(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    assert run("http://127.0.0.1:9/v1", "--strategy", "model") == 1
    assert not key.strip() or key.strip() not in capsys.readouterr().err


def test_text_that_is_no_unicode_is_sent_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([GOOD]) as endpoint:
        assert main([f"{TEXT} \udcff", "--model", MODEL, "--base-url", endpoint.url, "--strategy", "model"]) == 0


def test_a_model_alone_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(["no"]) as endpoint:
        assert run(endpoint.url, "--strategy", "model", "--attempts", "2", "-o", "node.yaml") == 1

    assert len(endpoint.requests) == 2
    assert not Path("node.yaml").exists()
    assert "no answer of 2 passed" in capsys.readouterr().err


def test_retries_of_an_endpoint_that_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    busy: list[Reply | str] = [
        error(429, "slow down", retry_after_ms="1"),
        error(503, "oops", retry_after_ms="1"),
        GOOD,
    ]
    with serving(busy) as endpoint:
        assert run(endpoint.url, "--strategy", "model") == 0
    assert len(endpoint.requests) == 3


def test_nothing_is_asked_that_can_not_be_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([GOOD]) as endpoint:
        assert run(endpoint.url, "--budget-usd", "0.01", "--price-in", "3", "--price-out", "15") == 0
    assert endpoint.requests == []
    assert "could cost" in capsys.readouterr().err


def test_an_answer_is_as_long_as_it_can_be_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([GOOD]) as endpoint:
        assert run(endpoint.url, "--budget-usd", "0.05", "--price-in", "3", "--price-out", "15") == 0
    assert 1024 <= endpoint.requests[0]["max_tokens"] < 8192


def test_secrets_are_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving([GOOD]) as endpoint:
        text = f"{TEXT}. Our key is ghp_{'a' * 36}."
        assert main([text, "--model", MODEL, "--base-url", endpoint.url, "--strategy", "model"]) == 1
    assert endpoint.requests == []
    assert "Nothing is sent" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--strategy", "model"], "needs --model"),
        (["--model", "m", "--strategy", "template"], "asks no model"),
        (["--base-url", "http://localhost"], "needs --model"),
        (["--model", "m", "--budget-usd", "1"], "--price-in"),
        (["--model", "m", "--price-in", "1"], "both"),
        (["--model", "m", "--price-in", "nan", "--price-out", "1"], "from 0"),
        (["--model", "m", "--attempts", "0"], "range 1<=x<=10"),
        (["--model", "m", "--timeout", "0"], "above 0"),
    ],
)
def test_options_that_do_not_fit(options: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([TEXT, *options])
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["http://me:secret@localhost/v1", "http://localhost/v1?key=secret", "ftp://x", "http://[", ""]
)
def test_urls_that_are_none(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY")
    assert run(url, "--strategy", "model") == 1
    assert "secret" not in capsys.readouterr().err


def test_rules_alone_report_too(tmp_path: Path) -> None:
    assert main([TEXT, "--strategy", "template", "-o", str(tmp_path / "node.yaml")]) == 0

    report = json.loads((tmp_path / "build" / "draft.json").read_text(encoding="utf-8"))
    assert (report["strategy"], report["model"], report["tokens"]) == ("template", None, 0)


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    with serving([Reply(GOOD, seconds=20)]) as endpoint:
        arguments = [TEXT, "--model", MODEL, "--base-url", endpoint.url, "-o", str(tmp_path / "node.yaml")]
        status, errors = interrupted("extensions.commands.draft_contract", arguments, endpoint)
    assert status == 130
    assert "Interrupted: nothing was written." in errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


def test_states_of_a_form_make_a_machine() -> None:
    moves = [{"trigger": "pay", "from": "new", "to": "paid"}]
    filled = form(name="order_state", node_type="reducer", integrations=[], features=[], models=[], enums=[])
    filled |= {"operations": [operation("move_order")], "transitions": moves}

    made = drafted(json.dumps(filled), TEXT, package="shop_nodes", node_type=None).contract
    assert made["subcontracts"]["fsm"]["initial_state"] == "new"
    assert made["package"] == "shop_nodes"


def test_a_type_that_was_told_is_kept_to() -> None:
    with pytest.raises(FormError, match="expected compute"):
        drafted(GOOD, TEXT, package=None, node_type="compute")


NAMES = st.sampled_from(["note", "Note", "NoteKind", "id", "note_id", "class", "Not A Name", "", "string", "{{ x }}"])
FIELDS = st.lists(
    st.builds(
        field,
        NAMES,
        st.sampled_from(["string", "integer", "uuid", "datetime", "array", "object", "Note", "NoteKind", "nothing"]),
        st.none() | st.sampled_from(["string", "Note", "array"]),
        required=st.booleans(),
    ),
    max_size=4,
)
FORMS = st.builds(
    form,
    name=st.just("note_store") | NAMES,
    node_type=st.sampled_from(["effect", "compute", "reducer", "orchestrator"]),
    description=st.text(max_size=40),
    features=st.lists(st.sampled_from(["retry", "caching", "dead_letter_queue"]), max_size=2),
    integrations=st.lists(st.sampled_from(["postgres", "redis", "kafka", "http"]), max_size=3),
    enums=st.just([]) | st.just([{"name": "NoteKind", "values": ["a", "b"]}]),
    models=st.lists(st.builds(lambda name, fields: {"name": name, "fields": fields}, NAMES, FIELDS), max_size=2),
    operations=st.lists(
        st.builds(
            operation,
            st.sampled_from(["keep_note", "list_notes", "run", "Not A Name"]),
            crud=st.sampled_from([None, "create", "get", "update", "delete", "list"]),
            model=st.none() | NAMES,
            input=FIELDS,
            output=FIELDS,
            words=st.text(max_size=10),
        ),
        max_size=3,
    ),
    transitions=st.lists(st.fixed_dictionaries({"trigger": NAMES, "from": NAMES, "to": NAMES}), max_size=2),
)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*form()]) | st.text(), inner, max_size=3)
    ),
)


@settings(max_examples=200, deadline=None)
@given(FORMS | JSON.map(lambda value: form(models=value)) | JSON.map(lambda value: form(operations=value)) | JSON)
def test_any_answer_becomes_a_valid_contract_or_is_told_what_is_wrong(filled: object) -> None:
    try:
        made = drafted(json.dumps(filled), TEXT, package=None, node_type=None)
    except FormError as error:
        problems = error.problems
    else:
        problems = []
        assert judge(made.contract) == []
        assert yaml.safe_load(made.document()) == made.contract
    assert all(problems)


ODD = [entry for entry in corpus.entries(corpus.CORPUS) if entry.get("says") or entry.get("type") == "refused"]


@pytest.mark.parametrize("entry", ODD, ids=lambda entry: str(entry["text"]).strip()[:40])
def test_hostile_and_other_descriptions_only_fill_in_a_form(
    entry: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompt has all of a description, and whatever comes back is judged."""
    monkeypatch.chdir(tmp_path)

    def answer(request: Mapping[str, Any]) -> str:
        said = str(request["messages"][1]["content"])
        assert said.startswith("BEGIN\n")
        assert entry["text"] in said
        return json.dumps(form(description=said[:300]))

    with serving(answer) as endpoint:
        code = main([entry["text"], "--model", MODEL, "--base-url", endpoint.url, "-o", "node.yaml"])
    written = Path("node.yaml")
    assert (code == 0) == written.exists()
    if written.exists():
        assert judge(yaml.safe_load(written.read_text(encoding="utf-8"))) == []
