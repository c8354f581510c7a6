"""Conditions, items, rounds, groups and intents of workflows: rules, typed form and view."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from examples.rendering import ROOT, read_contract
from extensions.judging.judge import judge
from extensions.language.build import build
from extensions.language.contract import Contract
from extensions.language.kinds import Kind, WrongError
from extensions.language.run_conditions import UNKNOWN, InputTypes, RunScope, read
from extensions.viewing.build import view
from extensions.viewing.workflow import WorkflowView

PIPELINE: dict[str, Any] = dict(read_contract(ROOT / "examples" / "catalogue" / "codegen_pipeline.yaml"))
EXTRACT, BODIES, INJECT, STORE, COUNT, CARRY = range(6)
WRITE, CHECK = range(2)
type Change = Callable[[list[dict[str, Any]]], object]


def changed(change: Change) -> dict[str, Any]:
    contract = deepcopy(PIPELINE)
    change(contract["operations"][0]["workflow"]["steps"])
    return contract


def of(contract: dict[str, Any]) -> WorkflowView:
    assert judge(contract) == []
    built: Contract = build(contract)
    found = view(built).operations[0].workflow
    assert found
    return found


def test_the_pipeline_has_no_problems() -> None:
    assert judge(PIPELINE) == []


@pytest.mark.parametrize(
    ("change", "path", "found", "expected"),
    [
        pytest.param(
            lambda s: s[STORE].pop("when"),
            "[3].input.content",
            "'${steps.inject.updated_content}', which is null where inject is skipped",
            "a step with when: steps.inject is not None, or an output that may be null",
            id="skipped",
        ),
        pytest.param(
            lambda s: s[INJECT].update(when="len(steps.bodys) > 0"),
            "[2].when",
            "steps.bodys at column 5",
            "a step that there is",
            id="unknown step in a condition",
        ),
        pytest.param(
            lambda s: s[INJECT].update(when="steps.store is None"),
            "[2].when",
            "steps.store at column 1",
            "an earlier step, named in after",
            id="later step in a condition",
        ),
        pytest.param(
            lambda s: s[INJECT].update(when="input.modell == 'x'"),
            "[2].when",
            "input.modell at column 1",
            "an input field of this operation (did you mean 'model'?)",
            id="unknown input in a condition",
        ),
        pytest.param(
            lambda s: s[INJECT].update(when="result.ok"),
            "[2].when",
            "the name 'result' at column 1",
            "what is known here: input, steps",
            id="result before there is one",
        ),
        pytest.param(
            lambda s: s[INJECT].update(require="open('x')"),
            "[2].require",
            "a call of open at column 1",
            "one of abs, all, any, float, int, len, max, min, round, sorted, str, sum",
            id="call",
        ),
        pytest.param(
            lambda s: s[BODIES]["repeat"].update(until="steps.inject.ok"),
            "[1].repeat.until",
            "steps.inject.ok at column 1",
            "a step of the round, or an earlier one",
            id="step after the round",
        ),
        pytest.param(
            lambda s: s[BODIES].update(for_each="${input.model}"),
            "[1].for_each",
            "'${input.model}', which is of type string",
            "a reference to an array",
            id="no array",
        ),
        pytest.param(
            lambda s: s[BODIES].update(for_each="all of ${steps.extract.stubs}"),
            "[1].for_each",
            "'all of ${steps.extract.stubs}'",
            "one reference to an array, such as ${steps.name.field}",
            id="text around the array",
        ),
        pytest.param(
            lambda s: s[EXTRACT]["input"].update(x="${item.name}"),
            "[0].input.x",
            "'${item.name}'",
            "a reference to input or steps",
            id="item outside of items",
        ),
        pytest.param(
            lambda s: s[INJECT]["input"].update(x="${previous.check.problems}"),
            "[2].input.x",
            "'${previous.check.problems}'",
            "a reference to input or steps",
            id="previous outside of rounds",
        ),
        pytest.param(
            lambda s: s[BODIES]["steps"][WRITE]["input"].update(x="${previous.chek.problems}"),
            "[1].steps[0].input.x",
            "'${previous.chek.problems}'",
            "a step of the round: check, write",
            id="unknown step of the round before",
        ),
        pytest.param(
            lambda s: s[BODIES]["steps"][CHECK].update(after=["extract"]),
            "[1].steps[1].after[0]",
            "'extract'",
            "one of the steps write",
            id="after a step outside of the group",
        ),
        pytest.param(
            lambda s: s[INJECT]["input"].update(x="${steps.write.text}"),
            "[2].input.x",
            "'${steps.write.text}'",
            "a reference to an earlier step, named in after",
            id="into a group",
        ),
        pytest.param(
            lambda s: s[BODIES]["steps"][CHECK].update(name="extract"),
            "[1].steps[1].name",
            "'extract' a second time",
            "a name of its own",
            id="a name twice, across groups",
        ),
        pytest.param(
            lambda s: s[EXTRACT].pop("operation"),
            "[0].operation",
            "nothing",
            "operation, since there is node",
            id="no operation",
        ),
        pytest.param(
            lambda s: s.append({"name": "idle"}),
            "[6]",
            "a step that does nothing",
            "node and operation, steps, or intents and route: one of them",
            id="nothing to do",
        ),
        pytest.param(
            lambda s: s[BODIES].update(node="node_a_effect", operation="b"),
            "[1]",
            "node and steps in one step",
            "node and operation, steps, or intents and route: one of them",
            id="two things to do",
        ),
        pytest.param(
            lambda s: s[BODIES].update(timeout_seconds=3),
            "[1].timeout_seconds",
            "timeout_seconds in a step with steps",
            "a step with node or intents",
            id="deadline of a group",
        ),
        pytest.param(
            lambda s: s[INJECT].update(max_parallel=3),
            "[2].max_parallel",
            "max_parallel of a step that runs once",
            "for_each",
            id="parallel alone",
        ),
        pytest.param(
            lambda s: s[CARRY]["route"].update(x={"publish": "a", "node": "node_a_effect", "operation": "b"}),
            "[5].route.x",
            "both",
            "either node and operation, or publish",
            id="two things for a target",
        ),
        pytest.param(
            lambda s: s[EXTRACT]["input"].update(x="${now.year}"),
            "[0].input.x",
            "'${now.year}'",
            "${now}, which has no members",
            id="field of now",
        ),
    ],
)
def test_problem(change: Change, path: str, found: str, expected: str) -> None:
    problems = {problem.place: problem for problem in judge(changed(change))}
    place = f"operations[0].workflow.steps{path}"
    assert place in problems, problems
    assert (problems[place].found, problems[place].expected) == (found, expected)


def test_all_problems_come_at_once() -> None:
    def spoil(steps: list[dict[str, Any]]) -> None:
        steps[EXTRACT]["input"]["x"] = "${item}"
        steps[BODIES]["steps"][CHECK]["input"]["x"] = "${steps.nobody.x}"
        steps[INJECT]["require"] = "result.a ="
        steps[CARRY]["route"]["store_effect"]["input"]["x"] = "${intend.x}"

    places = {problem.place.removeprefix("operations[0].workflow.steps") for problem in judge(changed(spoil))}
    assert places == {"[0].input.x", "[1].steps[1].input.x", "[2].require", "[5].route.store_effect.input.x"}


def test_items_of_no_known_number_need_a_deadline() -> None:
    contract = deepcopy(PIPELINE)
    del contract["operations"][0]["workflow"]["timeout_seconds"]
    (problem,) = judge(contract)
    assert problem.place == "operations[0].workflow.steps[1].for_each"
    assert problem.expected == "workflow.timeout_seconds, the deadline of all steps"


def test_fields_of_items_are_those_of_the_model() -> None:
    contract = deepcopy(PIPELINE)
    contract["models"] = {"Stub": {"fields": {"signature": "string", "class_name": "string", "method_name": "string"}}}
    operation = contract["operations"][0]
    operation["input"]["stubs"] = {"type": "array", "items": "Stub"}
    operation["workflow"]["steps"][BODIES]["for_each"] = "${input.stubs}"
    assert judge(contract) == []
    operation["workflow"]["steps"][BODIES]["output"]["name"] = "${item.method_nam}"
    (problem,) = judge(contract)
    assert (problem.found, problem.expected) == ("'${item.method_nam}'", "a field of Stub")


def test_a_guard_may_be_one_of_several_conditions() -> None:
    sound = changed(lambda s: s[STORE].update(when="input.model == 'x' and steps.inject is not None"))
    assert judge(sound) == []
    assert judge(changed(lambda s: s[STORE].update(when="input.model == 'x' or steps.inject is not None")))


def test_references_reach_into_arrays() -> None:
    contract = changed(lambda s: s[STORE]["input"].update(first="${steps.extract.stubs[0].names[12].x}"))
    made = next(made for made in of(contract).functions if made.name == "input_of_store")
    assert 'extract_stubs_0_names_12_x = value_at(known.steps, "extract", "stubs", 0, "names", 12, "x")' in made.lines


def test_new_identifiers_are_told_apart() -> None:
    contract = changed(lambda s: s[COUNT]["input"].update(a="${uuid}", b="x-${uuid}"))
    made = next(made for made in of(contract).functions if made.name == "input_of_count")
    assert [f'known.uuid("{number}")' in made.code for number in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("len(steps.a.list) > 0", "len(value_at(known.steps, 'a', 'list')) > 0"),
        ("steps.a[0]['b c'] in ['x']", "value_at(known.steps, 'a', 0, 'b c') in ['x']"),
        pytest.param(
            "all(x.ok for x in result if not x.bad)",
            "all((value_at(x, 'ok') for x in value_at(known.result) if not value_at(x, 'bad')))",
        ),
        pytest.param(
            "input.level >= 3 and previous.a is None",
            "value_at(known.request, 'level') >= 3 and value_at(known.previous, 'a') is None",
        ),
        (True, "True"),
        pytest.param(
            "any(a in input.text and input.text != a for a in item)",
            "any((a in value_at(known.request, 'text') and value_at(known.request, 'text') != a"
            " for a in bounded(value_at(known.item), value_at(known.request, 'text'))))",
            id="what is looked at with each item",
        ),
        pytest.param(
            "any(a > 2 for a in item) or all(input.level > b for b in item)",
            "any((a > 2 for a in value_at(known.item))) or all((value_at(known.request, 'level') > b"
            " for b in bounded(value_at(known.item), value_at(known.request, 'level'))))",
            id="one loop after another",
        ),
        ("item * 2 > item.a % 7", "factor_of(value_at(known.item)) * 2 > factor_of(value_at(known.item, 'a')) % 7"),
    ],
)
def test_conditions_become_code(text: object, code: str) -> None:
    types = InputTypes({"level": Kind("integer"), "text": Kind("string")})
    scope = RunScope(types, ["a"], every=["a"], item=UNKNOWN, previous=["a"], result=True)
    assert read(text, scope).code == code


@pytest.mark.parametrize(
    "text",
    [
        "lambda: 1",
        "f'{item}'",
        "(x := 1)",
        "item.x()",
        "[1 for a in item for b in item]",
        "[1 for str in item]",
        "[1 for steps in item]",
        "len(item, key=1)",
        "max(*item)",
        "1 << 99",
        "9" * 30,
        "'\\x00'",
        "1e999",
        "item is 3",
        "input",
        "steps",
        "{1: 2}",
        "__import__('os')",
        "item[99999]",
        "[[1 for b in item] for a in item]",
        "[1 for a in [b for b in item] if any(c for c in item)]",
        "round(item, -1000000000)",
        "'%999999999d' % item",
        "'x' * item",
        "sum((x ** 16) ** 16 % 7 for x in item)",
        "",
    ],
)
def test_what_is_no_condition(text: str) -> None:
    scope = RunScope(InputTypes(), item=UNKNOWN)
    with pytest.raises(WrongError):
        read(text, scope)


def test_the_diagram_shows_groups_items_rounds_and_targets() -> None:
    inject = "node_codegen_code_injector_effect.inject_code"
    assert of(PIPELINE).diagram.splitlines() == [
        "flowchart TD",
        '    step_extract["extract<br/>node_codegen_stub_extractor_effect.extract_stubs"]',
        '    subgraph step_bodies["bodies<br/>for each item, 4 at once<br/>at most 3 rounds"]',
        '        step_write["write<br/>node_codegen_business_logic_effect.generate_body"]',
        '        step_check["check<br/>node_codegen_code_validator_effect.validate_code"]',
        "        step_write --> step_check",
        "    end",
        f'    step_inject["inject<br/>{inject}<br/>only under a condition<br/>its answer is checked"]',
        '    step_store["store<br/>node_codegen_store_effect.store_artifact<br/>only under a condition"]',
        '    step_count["count<br/>node_codegen_metrics_reducer.aggregate"]',
        '    step_carry_out["carry_out<br/>intents, highest priority first<br/>only under a condition"]',
        "    step_extract --> step_bodies",
        "    step_bodies --> step_inject",
        "    step_inject --> step_store",
        "    step_store --> step_count",
        "    step_count --> step_carry_out",
        '    undo_store(["node_codegen_store_effect.delete_artifact"])',
        "    step_store -. undone by .-> undo_store",
        '    target_0_carry_out["node_codegen_store_effect.persist_metrics"]',
        "    step_carry_out --> target_0_carry_out",
        '    target_1_carry_out["codegen-metrics-updated"]',
        "    step_carry_out --> target_1_carry_out",
    ]


def test_topics_peers_and_sample_answers() -> None:
    node = view(build(PIPELINE))
    assert "onex.evt.omninode-codegen.codegen-metrics-updated.v1" in node.published_topics
    assert "node_codegen_code_validator_effect" in {peer.node for peer in node.peers}
    answers = of(PIPELINE).answers
    assert answers["extract"] == {
        "stubs": [{"signature": 1, "method_name": 1, "class_name": 1}] * 2,
        "total_stubs_found": answers["extract"]["total_stubs_found"],  # type: ignore[index]  # a mapping
    }
    assert answers["check"] == {"is_valid": True}
