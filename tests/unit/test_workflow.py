"""Workflows of the contract language: rules, typed form and view."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from examples.rendering import CONTRACTS, read_contract
from extensions.judging.judge import judge
from extensions.language.build import build
from extensions.language.contract import Contract
from extensions.language.workflow import StepRetry, Workflow, build_workflow, in_order, upstream
from extensions.viewing.build import view
from extensions.viewing.topics import peers
from extensions.viewing.workflow import WorkflowView, migrations
from extensions.viewing.workflow_code import FunctionView
from extensions.viewing.workflow_diagram import diagram
from tests.generation.workflows import WORKFLOWS

ORDERS: dict[str, Any] = dict(read_contract(CONTRACTS / "order_workflow.yaml"))
type Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> dict[str, Any]:
    contract = deepcopy(ORDERS)
    change(contract)
    return contract


def steps(contract: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = contract["operations"][0]["workflow"]["steps"]
    return found


def output(contract: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = contract["operations"][0]["output"]
    return found


def filled(contract: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = contract["operations"][0]["workflow"]["output"]
    return found


def of(contract: dict[str, Any], operation: str) -> WorkflowView:
    found = next(op.workflow for op in view(build(contract)).operations if op.name == operation)
    assert found
    return found


@pytest.mark.parametrize("contract", [ORDERS, *WORKFLOWS.values()])
def test_sound_contracts_have_no_problems(contract: dict[str, Any]) -> None:
    assert judge(contract) == []


@pytest.mark.parametrize(
    ("change", "path", "found", "expected"),
    [
        pytest.param(
            lambda c: steps(c)[0].update(after=["announce"]),
            "operations[0].workflow.steps[0].after",
            "a cycle: price after announce after charge after reserve after price",
            "steps that do not wait for each other",
            id="cycle",
        ),
        pytest.param(
            lambda c: steps(c)[1].update(after=["price", "prize"]),
            "operations[0].workflow.steps[1].after[1]",
            "'prize'",
            "one of the steps announce, charge, price",
            id="unknown step",
        ),
        pytest.param(
            lambda c: steps(c)[1].update(after=["reserve"]),
            "operations[0].workflow.steps[1].after[0]",
            "'reserve', the step itself",
            "another step",
            id="itself",
        ),
        pytest.param(
            lambda c: steps(c)[1].update(name="price"),
            "operations[0].workflow.steps[1].name",
            "'price' a second time",
            "a name of its own",
            id="name twice",
        ),
        pytest.param(
            lambda c: steps(c)[1].update(after=[]),
            "operations[0].workflow.steps[2].input.amount_cents",
            "'${steps.price.total_cents}'",
            "a reference to an earlier step, named in after",
            id="not upstream",
        ),
        pytest.param(
            lambda c: steps(c)[0]["input"].update(of=["${steps.price.x}"]),
            "operations[0].workflow.steps[0].input.of[0]",
            "'${steps.price.x}'",
            "a reference to an earlier step, named in after",
            id="own answer",
        ),
        pytest.param(
            lambda c: steps(c)[1]["compensate"].update(input={"a": "${steps.charge.id}"}),
            "operations[0].workflow.steps[1].compensate.input.a",
            "'${steps.charge.id}'",
            "a reference to reserve or an earlier step, named in after",
            id="compensation from later",
        ),
        pytest.param(
            lambda c: steps(c)[1]["compensate"].update(input={"a": "${steps.reserve.id}"}, on_unknown=True),
            "operations[0].workflow.steps[1].compensate.input.a",
            "'${steps.reserve.id}'",
            "a reference to an earlier step, named in after: with on_unknown, reserve has no answer",
            id="compensation of the unknown from its answer",
        ),
        pytest.param(
            lambda c: c["operations"][0]["output"].update(unknown_outcomes="string"),
            "operations[0].output.unknown_outcomes",
            "'string'",
            "an array of texts",
            id="unknown outcomes as text",
        ),
        pytest.param(
            lambda c: filled(c).update(total_cents="${steps.prise.total}"),
            "operations[0].workflow.output.total_cents",
            "'${steps.prise.total}'",
            "a reference to a step that there is",
            id="unknown step in output",
        ),
        pytest.param(
            lambda c: filled(c).update(total_cents="${steps.price}"),
            "operations[0].workflow.output.total_cents",
            "'${steps.price}'",
            "a field of its answer, as in ${steps.price.field}",
            id="no field",
        ),
        pytest.param(
            lambda c: steps(c)[0]["input"].update(of="${input.lins}"),
            "operations[0].workflow.steps[0].input.of",
            "'${input.lins}'",
            "an input field of this operation (did you mean 'lines'?)",
            id="unknown input",
        ),
        pytest.param(
            lambda c: steps(c)[0]["input"].update(of="${env.HOME}"),
            "operations[0].workflow.steps[0].input.of",
            "'${env.HOME}'",
            "a reference to input or steps",
            id="environment",
        ),
        pytest.param(
            lambda c: filled(c).update(total_cents="${input.order_id}"),
            "operations[0].workflow.output.total_cents",
            "'${input.order_id}', which is of type uuid",
            "a value of type integer",
            id="other type",
        ),
        pytest.param(
            lambda c: filled(c).update(totl="${steps.price.total}"),
            "operations[0].workflow.output.totl",
            "'totl'",
            "an output field",
            id="unknown output",
        ),
        pytest.param(
            lambda c: output(c)["status"].update(enum=["completed", "failed"]),
            "operations[0].output.status",
            "values without compensated",
            "all that a run may end with: completed, failed, compensated",
            id="status",
        ),
        pytest.param(
            lambda c: output(c).update(status="integer"),
            "operations[0].output.status",
            "'integer'",
            "text or an enum that takes the run's status",
            id="type of the status",
        ),
        pytest.param(
            lambda c: output(c).update(failed_compensations="string"),
            "operations[0].output.failed_compensations",
            "'string'",
            "an array of texts",
            id="failed compensations",
        ),
        pytest.param(
            lambda c: output(c).update(receipt="string"),
            "operations[0].output.receipt",
            "an output field that nothing fills",
            "something that fills it: workflow.output, or an input field of the same name and type",
            id="unfilled",
        ),
        pytest.param(
            lambda c: steps(c)[1].update(compensate={"input": {}}),
            "operations[0].workflow.steps[1].compensate.operation",
            "nothing",
            "a value: operation is required",
            id="compensation without operation",
        ),
        pytest.param(
            lambda c: steps(c)[1].update(retry={"initial_delay_ms": 50, "max_delay_ms": 10}),
            "operations[0].workflow.steps[1].retry.max_delay_ms",
            "10",
            "at least initial_delay_ms, which is 50",
            id="delays",
        ),
        pytest.param(
            lambda c: c["operations"][0].update(retry={"max_attempts": 2}),
            "operations[0].retry",
            "a policy beside a workflow",
            "workflow.retry, which its steps follow",
            id="retry beside",
        ),
        pytest.param(
            lambda c: c.update(node_type="effect"),
            "operations[0].workflow",
            "a workflow in a node of type effect",
            "an orchestrator",
            id="node type",
        ),
        pytest.param(
            lambda c: c.update(subcontracts={"state_management": {"backend": "redis", "table": "runs"}}),
            "subcontracts.state_management.table",
            "table for the backend redis",
            "the backend postgres",
            id="table in redis",
        ),
        pytest.param(
            lambda c: c.update(subcontracts={"state_management": {"backend": "postgres", "key_prefix": "runs"}}),
            "subcontracts.state_management.key_prefix",
            "key_prefix for the backend postgres",
            "the backend redis",
            id="prefix in postgres",
        ),
    ],
)
def test_problem(change: Change, path: str, found: str, expected: str) -> None:
    problems = {problem.place: problem for problem in judge(changed(change))}
    assert path in problems, problems
    assert (problems[path].found, problems[path].expected) == (found, expected)


def test_all_problems_come_at_once() -> None:
    def change(contract: dict[str, Any]) -> None:
        steps(contract)[0].update(after=["nowhere"])
        steps(contract)[1]["retry"].update(max_delay_ms=1)
        filled(contract).update(total_cents="${steps.none.x}")

    assert len(judge(changed(change))) == 3


def test_steps_come_after_those_that_they_wait_for() -> None:
    written: list[dict[str, Any]] = [
        {"name": "d", "after": ["b", "c"]},
        {"name": "c", "after": ["a"]},
        {"name": "b", "after": ["a"]},
        {"name": "a"},
    ]
    assert in_order(written) == ["a", "c", "b", "d"]


def test_upstream() -> None:
    after = {"a": (), "b": ("a",), "c": ("b",), "d": ("c", "d")}
    assert upstream("c", after) == {"a", "b"}
    assert upstream("d", after) == {"a", "b", "c", "d"}


def made(contract: dict[str, Any], index: int = 0) -> Workflow:
    workflow = build_workflow(contract["operations"][index]["workflow"], None)
    assert workflow
    return workflow


def test_typed_form_of_the_example() -> None:
    price, reserve, _, announce = made(ORDERS).steps
    assert (price.timeout_seconds, price.retry, price.on_failure) == (5.0, StepRetry(), "compensate")
    assert reserve.retry == StepRetry(max_attempts=3, initial_delay_ms=50)
    assert reserve.compensate
    assert (reserve.compensate.node, reserve.compensate.operation) == ("node_stock_effect", "release")
    assert (announce.on_failure, announce.compensate) == ("continue", None)


def test_typed_form_with_policies_for_all_steps() -> None:
    found = {step.name: step for step in made(WORKFLOWS["trips"]).steps}
    assert list(found) == ["search", "flight", "hotel", "pay", "greet"]
    assert found["flight"].retry == StepRetry(2, 1, 2)
    assert {name: step.on_failure for name, step in found.items()} == {
        "search": "compensate",
        "flight": "compensate",
        "hotel": "compensate",
        "pay": "abort",
        "greet": "continue",
    }
    undone = found["hotel"].compensate
    assert undone
    assert (undone.node, undone.package) == ("node_desk_effect", "")


def test_typed_form_of_what_is_unknown() -> None:
    contract = deepcopy(ORDERS)
    steps(contract)[1]["compensate"] |= {"on_unknown": True, "input": {}}
    steps(contract)[1]["idempotent"] = True
    assert judge(contract) == []
    assert [(step.idempotent, step.undoes_unknown) for step in made(contract).steps][:2] == [
        (False, False),
        (True, True),
    ]


def test_without_compensation_failures_end_the_run() -> None:
    assert {step.on_failure for step in made(WORKFLOWS["reports"]).steps} == {"abort"}


def test_longest_run() -> None:
    # All attempts of two steps that are undone, beside the deadline of the workflow.
    assert made(ORDERS).longest_seconds == pytest.approx(60 + (3 * 30 + 0.05 + 0.1) + 30)
    assert made(WORKFLOWS["reports"]).longest_seconds == 90


def built(contract: dict[str, Any]) -> Contract:
    return build(contract)


def test_peers() -> None:
    topics = {peer.node: peer.command_topic for peer in peers(built(WORKFLOWS["trips"]))}
    assert topics == {
        "node_bank_effect": "onex.cmd.travel-nodes.bank-requested.v1",
        "node_desk_effect": "onex.cmd.travel-nodes.desk-requested.v1",
        "node_flight_effect": "onex.cmd.travel-nodes.flight-requested.v1",
        "node_hotel_effect": "onex.cmd.hotels-eu.hotel-requested.v1",
        "node_mail_effect": "onex.cmd.travel-nodes.mail-requested.v1",
        "node_offers_compute": "onex.cmd.offers.offers-requested.v1",
        "node_sum_compute": "onex.cmd.travel-nodes.sum-requested.v1",
    }


def test_migrations() -> None:
    ((name, sql),) = migrations(built(WORKFLOWS["reports"]))
    assert name == "0000_report_progress"
    assert 'CREATE TABLE "report_progress"' in sql
    assert migrations(built(ORDERS)) == ()


def function(contract: dict[str, Any], operation: str, name: str) -> FunctionView:
    return next(made for made in of(contract, operation).functions if made.name == name)


def test_code_of_inputs() -> None:
    pay = function(WORKFLOWS["trips"], "book", "input_of_pay")
    assert pay.lines == (
        'flight_price_total = value_at(known.steps, "flight", "price", "total")',
        'hotel_name = value_at(known.steps, "hotel", "name")',
    )
    assert '"amount": flight_price_total' in pay.code
    text = """f'For {request.traveller.name} ({text(request.note)}): "{text(hotel_name)}" {{1}}\\n'"""
    assert text in pay.code


def test_variables_of_answers_are_told_apart() -> None:
    contract = changed(lambda c: steps(c)[2]["input"].update(a="${steps.price.x.y_z}", b="${steps.price.x_y.z}"))
    charge = function(contract, "place_order", "input_of_charge")
    assert '"a": price_x_y_z,' in charge.code
    assert '"b": price_x_y_z_' in charge.code


def test_whether_the_output_can_tell_of_failures() -> None:
    assert of(ORDERS, "place_order").reports
    assert not of(WORKFLOWS["trips"], "count").reports
    required = changed(lambda c: output(c)["total_cents"].pop("required"))
    assert not of(required, "place_order").reports


def test_answers_have_all_that_others_refer_to() -> None:
    answers = of(WORKFLOWS["trips"], "book").answers
    assert answers["flight"] == {"booking": 1, "price": {"total": 1}}
    assert answers["hotel"] == {"name": "text"}


def test_compensations_that_can_be_refused_in_tests() -> None:
    assert of(ORDERS, "place_order").refused_compensations == (("charge", "reserve"),)


def test_diagram() -> None:
    lines = diagram(made(ORDERS).steps).splitlines()
    assert lines[0] == "flowchart TD"
    assert '    step_price["price<br/>node_price_quote_compute.quote"]' in lines
    assert "    step_price --> step_reserve" in lines
    assert "    step_reserve -. undone by .-> undo_reserve" in lines


def test_deadline_outlasts_the_workflow() -> None:
    operation = view(build(ORDERS)).operations[0]
    assert operation.timeout_seconds > made(ORDERS).longest_seconds


def test_runs_that_are_kept_may_be_asked_for_twice() -> None:
    assert not view(build(ORDERS)).operations[0].idempotent
    assert view(build(WORKFLOWS["reports"])).operations[0].idempotent
