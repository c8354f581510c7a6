"""What the engine does with conditions, items, rounds, groups and intents, killed at every point."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.workflows.engine import Engine
from onex_node_runtime.workflows.known import Known, value_at
from onex_node_runtime.workflows.run import Run, StepRecord, load
from onex_node_runtime.workflows.step import (
    Call,
    Condition,
    Each,
    Group,
    Publishing,
    Repeat,
    Retry,
    Route,
    Step,
    Workflow,
)
from pydantic import BaseModel, JsonValue

RUN_ID = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
PASSING, PERMANENT = EnumCoreErrorCode.NETWORK_ERROR, EnumCoreErrorCode.VALIDATION_ERROR


class Job(BaseModel):
    """An input."""

    names: list[str] = ["a", "b", "c"]
    wanted: bool = True


class Outcome(BaseModel):
    """An output."""


@dataclass
class Others:
    """Other nodes: an operation answers what its function makes of its input, and what raises is an error.

    Attributes:
        answers: What operations answer.
        calls: Each call: the operation, its input and its identity.
        at_once: How many calls were under way at most.
    """

    answers: dict[str, Callable[[Mapping[str, Any]], dict[str, JsonValue]]] = field(default_factory=dict)
    calls: list[tuple[str, Mapping[str, JsonValue], UUID]] = field(default_factory=list)
    at_once: int = 0
    _now: int = 0

    async def call(
        self, _node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
    ) -> Mapping[str, JsonValue]:
        self.calls.append((operation, payload, call_id))
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            await asyncio.sleep(0.001)
            answer = self.answers.get(operation)
            return {"of": dict(payload)} if answer is None else answer(payload)
        finally:
            self._now -= 1

    def names(self, operation: str) -> list[JsonValue]:
        return [payload.get("name") for called, payload, _ in self.calls if called == operation]


@dataclass
class Trial:
    """A run, and what became known of it on the way."""

    steps: tuple[Step[Job], ...]
    others: Others = field(default_factory=Others)
    run: Run = field(default_factory=lambda: Run(RUN_ID, "job", uuid4(), {}))
    request: Job = field(default_factory=Job)
    kept: list[str] = field(default_factory=list)
    published: list[tuple[str, JsonValue]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    async def tell(self, run: Run, record: StepRecord, seconds: float) -> None:
        assert run is self.run
        assert 0 <= seconds < 60
        self.told.append((record.name, record.status))

    async def keep(self, run: Run) -> None:
        self.kept.append(run.dump())

    async def publish(self, topic: str, payload: JsonValue, _correlation_id: UUID) -> None:
        self.published.append((topic, payload))

    async def advance(self) -> Run:
        workflow = Workflow("job", Job, Outcome, self.steps)
        engine = Engine(self.others, self.tell, self.publish)
        await engine.advance(workflow, self.request, self.run, self.keep)
        return self.run

    def status(self, name: str) -> str:
        return next(record.status for record in self.run.steps if record.name == name)


def refuse(_given: Mapping[str, Any]) -> dict[str, JsonValue]:
    raise ModelOnexError(message="refused", error_code=PERMANENT)


def call(operation: str, **values: Callable[[Known[Job]], object]) -> Call[Job]:
    return Call("node_other_effect", operation, lambda known: {name: make(known) for name, make in values.items()})


def item(known: Known[Job]) -> object:
    return known.item


def names(known: Known[Job]) -> object:
    return known.request.names


def condition(text: str, holds: Callable[[Known[Job]], bool]) -> Condition[Job]:
    return Condition(text, holds)


async def test_a_step_whose_condition_does_not_hold_is_skipped_and_those_after_it_are_not() -> None:
    never = condition("not input.wanted", lambda known: not known.request.wanted)
    after = Step("after", call("after", seen=lambda known: value_at(known.steps, "maybe", "of")), after=("maybe",))
    trial = Trial((Step("maybe", call("maybe"), when=never), after))
    run = await trial.advance()
    assert (run.status, trial.status("maybe"), trial.status("after")) == ("completed", "skipped", "completed")
    assert trial.others.calls[0][:2] == ("after", {"seen": None})
    assert ("maybe", "skipped") in trial.told
    assert "maybe" not in run.answers


async def test_what_a_step_requires_of_its_answer_fails_it_and_undoes_it_too() -> None:
    sound = condition("result.is_valid", lambda known: bool(value_at(known.result, "is_valid")))
    undo = call("undo", name=lambda known: value_at(known.steps, "check", "name"))
    first = Step("first", call("first"), compensate=call("undo", name=lambda _: "first"))
    check = Step("check", call("check"), ("first",), require=sound, compensate=undo, on_failure="compensate")
    trial = Trial((first, check))
    trial.others.answers = {"check": lambda _: {"is_valid": False, "name": "checked"}}
    run = await trial.advance()
    assert (run.status, run.failed_step, run.error) == ("compensated", "check", "This did not hold: result.is_valid")
    assert trial.others.names("undo") == ["checked", "first"]


async def test_a_condition_that_cannot_be_worked_out_is_a_failure() -> None:
    wrong = condition("steps.a > 0", lambda known: value_at(known.steps, "a") > 0)
    trial = Trial((Step("only", call("only"), when=wrong),))
    run = await trial.advance()
    assert (run.status, run.failed_step) == ("failed", "only")
    assert run.error.startswith("It can't be worked out: steps.a > 0: TypeError")
    assert trial.others.calls == []


async def test_the_answer_of_a_step_for_each_item_is_the_array_in_their_order() -> None:
    each = Each(names, max_parallel=2)
    last = Step("last", call("last", name=lambda known: value_at(known.steps, "each", 2, "name")), ("each",))
    trial = Trial((Step("each", call("do", name=item), each=each), last))
    trial.others.answers = {"do": lambda given: {"name": given["name"].upper()}}
    run = await trial.advance()
    assert run.answers["each"] == [{"name": "A"}, {"name": "B"}, {"name": "C"}]
    assert trial.others.names("last") == ["C"]
    assert trial.others.at_once == 2


async def test_the_next_item_starts_when_any_is_over() -> None:
    last = asyncio.Event()

    class Patient(Others):
        async def call(
            self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
        ) -> Mapping[str, JsonValue]:
            if payload["name"] == "c":
                last.set()
            if payload["name"] == "a":
                await asyncio.wait_for(last.wait(), 9)
            return await super().call(node, operation, payload, call_id)

    trial = Trial((Step("each", call("do", name=item), each=Each(names, max_parallel=2)),), Patient())
    assert (await trial.advance()).status == "completed"


async def test_in_a_group_that_failed_nothing_starts_where_the_workflow_goes_on_without_it() -> None:
    group = Group((Step("bad", call("bad")), Step("slow", call("slow")), Step("next", call("next"), ("slow",))))
    trial = Trial((Step("both", group, on_failure="continue"), Step("last", call("last"), ("both",))))

    class Slow(Others):
        async def call(
            self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
        ) -> Mapping[str, JsonValue]:
            if operation == "slow":
                while not any(name == "both.bad" for name, _ in trial.told):
                    await asyncio.sleep(0)
            return await super().call(node, operation, payload, call_id)

    trial.others = Slow({"bad": refuse})
    run = await trial.advance()
    assert (run.status, run.answers) == ("completed", {"last": {"of": {}}})
    assert [operation for operation, _, _ in trial.others.calls] == ["bad", "slow", "last"]


async def test_no_item_starts_after_a_failure_and_those_that_finished_are_undone_last_first() -> None:
    step = Step(
        "each",
        call("do", name=item),
        each=Each(names, max_parallel=1),
        on_failure="compensate",
        compensate=call("undo", name=item),
    )
    trial = Trial((step,), request=Job(names=["a", "b", "bad", "d"]))
    trial.others.answers = {"do": lambda given: refuse(given) if given["name"] == "bad" else {}}
    run = await trial.advance()
    assert trial.others.names("do") == ["a", "b", "bad"]
    assert trial.others.names("undo") == ["b", "a"]
    assert (run.status, run.failed_step, run.lasting) == ("compensated", "each[2]", False)


async def test_an_item_that_failed_is_left_out_where_the_step_goes_on() -> None:
    trial = Trial((Step("each", call("do", name=item), each=Each(names), on_failure="continue"),))
    trial.others.answers = {"do": lambda given: refuse(given) if given["name"] == "b" else {"name": given["name"]}}
    run = await trial.advance()
    assert (run.status, run.answers["each"]) == ("completed", [{"name": "a"}, {"name": "c"}])


@pytest.mark.parametrize("wrong", [None, {}, "abc", 1], ids=str)
async def test_what_is_no_array_has_no_items(wrong: object) -> None:
    trial = Trial((Step("each", call("do"), each=Each(lambda _: wrong)),))
    assert (await trial.advance()).error == "What each runs for is no array."


async def test_no_items_answer_an_empty_array() -> None:
    trial = Trial((Step("each", call("do"), each=Each(lambda _: [])),))
    run = await trial.advance()
    assert (run.status, run.answers) == ("completed", {"each": []})


def looping(rounds: int) -> Step[Job]:
    """Return a group that writes and checks, until the check is content."""
    write = Step(
        "write",
        call("write", name=item, again=lambda known: value_at(known.previous, "check", "problems")),
        compensate=call("unwrite", name=item),
    )
    check = Step("check", call("check", text=lambda known: value_at(known.steps, "write", "text")), ("write",))
    return Step(
        "bodies",
        Group((write, check), lambda known: {"name": known.item, "text": value_at(known.steps, "write", "text")}),
        each=Each(names, max_parallel=2),
        repeat=Repeat(condition("steps.check.ok", lambda known: bool(value_at(known.steps, "check", "ok"))), rounds),
        on_failure="compensate",
    )


def writing(given: Mapping[str, Any]) -> dict[str, JsonValue]:
    return {"text": f"{given['name']}{(given['again'] or '')}!"}


def checking(given: Mapping[str, Any]) -> dict[str, JsonValue]:
    text = given["text"]
    return {"ok": text.count("!") > 2 or text.startswith("a"), "problems": text}


async def test_rounds_go_on_until_the_condition_holds_and_see_the_one_before() -> None:
    trial = Trial((looping(5),))
    trial.others.answers = {"write": writing, "check": checking}
    run = await trial.advance()
    assert run.answers["bodies"] == [
        {"name": "a", "text": "a!"},
        {"name": "b", "text": "bbb!!!"},
        {"name": "c", "text": "ccc!!!"},
    ]
    assert Counter(trial.others.names("write")) == {"a": 1, "b": 3, "c": 3}
    assert {"bodies[1]#3.check", "bodies"} <= {record.name for record in run.steps}


@pytest.mark.parametrize(
    "does",
    [
        call("do"),
        Group((Step("write", call("do")),)),
        Group((Step("write", call("do")),), lambda known: {"valid": value_at(known.steps, "write", "valid")}),
        Route(lambda _: [{"target": "other"}], {"other": call("do")}),
    ],
    ids=["call", "group", "group that answers", "route"],
)
@pytest.mark.parametrize("repeat", [None, Repeat(Condition("True", lambda _: True), 2)], ids=["once", "rounds"])
@pytest.mark.parametrize("valid", [False, True])
async def test_what_is_required_is_asked_of_the_answer_of_the_whole_step(
    does: Call[Job] | Group[Job] | Route[Job], repeat: Repeat[Job] | None, valid: bool
) -> None:
    seen: list[JsonValue] = []

    def holds(known: Known[Job]) -> bool:
        seen.append(known.result)
        return "true" in json.dumps(known.result)

    trial = Trial((Step("only", does, require=condition("result.valid", holds), repeat=repeat),))
    trial.others.answers["do"] = lambda _: {"valid": valid}
    run = await trial.advance()
    assert run.error == ("" if valid else "This did not hold: result.valid")
    answers = {Call: {"valid": valid}, Route: [{"valid": valid}], Group: {"write": {"valid": valid}}}
    answer = {"valid": valid} if isinstance(does, Group) and does.output else answers[type(does)]
    assert seen == [answer]


async def test_a_group_without_an_output_answers_what_each_of_its_steps_answered() -> None:
    never = condition("False", lambda _: False)
    group = Group((Step("one", call("one")), Step("two", call("two"), when=never), Step("three", call("three"))))
    trial = Trial((Step("both", group),))
    trial.others.answers = {name: lambda _, name=name: {"name": name} for name in ("one", "three")}  # type: ignore[misc]  # bound early
    assert (await trial.advance()).answers == {"both": {"one": {"name": "one"}, "three": {"name": "three"}}}


async def test_items_that_did_not_start_since_another_step_failed_answer_nothing() -> None:
    trial = Trial(
        (Step("each", call("do", name=item), each=Each(names, max_parallel=1)), Step("beside", call("refused")))
    )
    trial.others.answers = {"refused": refuse}
    run = await trial.advance()
    assert (run.status, run.failed_step, run.error) == ("failed", "beside", "refused")
    assert {record.name: record.status for record in run.steps} == {"each[0]": "completed", "beside": "failed"}


def _broken(_known: Known[Job]) -> Any:
    raise LookupError("nothing there")


REFUSED = [
    (Step("only", call("do"), each=Each(_broken)), "It can't be worked out: LookupError: nothing there", "only"),
    (Step("only", call("do", name=_broken)), "It can't be worked out: LookupError: nothing there", "only"),
    (
        Step("only", call("do"), when=condition("steps.a", _broken)),
        "It can't be worked out: steps.a: LookupError: nothing there",
        "only",
    ),
    (
        Step("only", Group((Step("inner", call("do")),), _broken)),
        "It can't be worked out: LookupError: nothing there",
        "only",
    ),
    (
        Step(
            "only", Group((Step("inner", call("do")),)), each=Each(names, 1), require=condition("no", lambda _: False)
        ),
        "This did not hold: no",
        "only[0]",
    ),
    (
        Step("only", call("do"), repeat=Repeat(condition("steps.a", _broken), 3)),
        "It can't be worked out: steps.a: LookupError: nothing there",
        "only",
    ),
]


@pytest.mark.parametrize("on_failure", ["abort", "continue"])
@pytest.mark.parametrize(("step", "error", "failed_step"), REFUSED)
async def test_killed_at_every_point_a_step_that_was_refused_stays_so(
    step: Step[Job], error: str, failed_step: str, on_failure: Literal["abort", "continue"]
) -> None:
    steps = (replace(step, on_failure=on_failure), Step("last", call("last"), ("only",)))
    whole = Trial(steps)
    await whole.advance()
    found = next(record for record in whole.run.steps if record.name == failed_step)
    assert (found.status, found.error) == ("failed", error)
    if on_failure == "abort":
        assert (whole.run.failed_step, whole.run.error) == (failed_step, error)
    else:
        assert (whole.run.status, whole.run.error) == ("completed", "")
    for point, text in enumerate(whole.kept):
        rest = Trial(steps, run=load(text))
        run = await rest.advance()
        assert replace(run, started_at=whole.run.started_at) == whole.run, point
        asked = [(operation, call_id) for operation, _, call_id in whole.others.calls]
        again = [(operation, call_id) for operation, _, call_id in rest.others.calls]
        assert again == asked[len(asked) - len(again) :], point


async def test_when_no_round_holds_the_step_failed_and_all_its_rounds_are_undone() -> None:
    trial = Trial((looping(2),), request=Job(names=["b"]))
    trial.others.answers = {"write": writing, "check": checking}
    run = await trial.advance()
    assert (run.status, run.failed_step) == ("compensated", "bodies[0]")
    assert run.error == "After 2 rounds this did not hold: steps.check.ok"
    assert trial.others.names("unwrite") == ["b", "b"]


async def test_a_single_call_may_be_repeated() -> None:
    until = condition("result.done", lambda known: bool(value_at(known.result, "done")))
    ask = call("ask", name=lambda known: value_at(known.previous, "ask", "count"))
    trial = Trial((Step("ask", ask, repeat=Repeat(until, 5)),))
    trial.others.answers = {"ask": lambda given: {"count": (given["name"] or 0) + 1, "done": given["name"] == 2}}
    run = await trial.advance()
    assert trial.others.names("ask") == [None, 1, 2]
    assert run.answers["ask"] == {"count": 3, "done": True}


def carrying(*, ignores_unknown: bool = False) -> Step[Job]:
    store = call("store", name=lambda known: value_at(known.intent, "payload", "name"))
    targets: dict[str, Call[Job] | Publishing] = {"store_effect": store, "bus": Publishing("counted.v1")}
    return Step(
        "carry", Route(lambda known: value_at(known.steps, "count", "intents"), targets, ignores_unknown), ("count",)
    )


def intents(*made: dict[str, JsonValue]) -> Callable[[Mapping[str, Any]], dict[str, JsonValue]]:
    return lambda _: {"intents": list(made)}


async def test_intents_are_carried_out_highest_priority_first() -> None:
    trial = Trial((Step("count", call("count")), carrying()))
    trial.others.answers["count"] = intents(
        {"target": "store_effect", "payload": {"name": "usual"}},
        {"target": "store_effect", "payload": {"name": "last"}, "priority": 0},
        {"target": "bus", "payload": {}, "priority": 7},
        {"target": "store_effect", "payload": {"name": "first"}, "priority": 9},
    )
    run = await trial.advance()
    assert run.status == "completed", run.error
    assert trial.others.names("store") == ["first", "usual", "last"]
    assert trial.published == [("counted.v1", {"target": "bus", "payload": {}, "priority": 7})]


async def test_what_is_no_priority_is_the_usual_one_and_equals_keep_their_order() -> None:
    trial = Trial((Step("count", call("count")), carrying()))
    priorities: list[JsonValue] = [4, "9", None, 5, 5.5, {}, -1]
    made: list[dict[str, JsonValue]] = [
        {"target": "store_effect", "payload": {"name": str(each)}, "priority": each} for each in priorities
    ]
    trial.others.answers["count"] = intents(*made)
    await trial.advance()
    assert trial.others.names("store") == ["5.5", "9", "None", "5", "{}", "4", "-1"]


async def test_all_targets_that_nothing_is_said_about_are_named() -> None:
    trial = Trial((Step("count", call("count")), carrying()))
    trial.others.answers["count"] = intents({"target": "b"}, {"target": "a"}, {}, {"target": "b"}, {"target": "bus"})
    run = await trial.advance()
    assert run.error == "Nothing is said about intents for None, a, b."
    assert trial.published == []


@pytest.mark.parametrize("wrong", [None, {"target": "bus"}, [{"target": "bus"}, 1], "bus"], ids=str)
async def test_what_is_no_array_of_intents_fails_the_step_before_the_first(wrong: JsonValue) -> None:
    trial = Trial((Step("count", call("count")), carrying()))
    trial.others.answers["count"] = lambda _: {"intents": wrong}
    run = await trial.advance()
    assert (run.failed_step, run.error) == ("carry", "What carry carries out is no array of intents.")
    assert trial.published == []


async def test_an_event_of_an_intent_has_nowhere_to_go_without_a_bus() -> None:
    trial = Trial((Step("count", call("count")), carrying()))
    trial.others.answers["count"] = intents({"target": "bus"})
    workflow = Workflow("job", Job, Outcome, trial.steps)
    await Engine(trial.others, trial.tell).advance(workflow, trial.request, trial.run, trial.keep)
    assert trial.run.error == "There is no event bus to publish counted.v1 on."
    assert trial.run.failed_step == "carry[0]"
    assert trial.run.steps[-1].code == str(EnumCoreErrorCode.NOT_FOUND)


@pytest.mark.parametrize("ignored", [False, True])
async def test_intents_for_others_fail_the_step_before_the_first_or_are_passed_over(ignored: bool) -> None:
    trial = Trial((Step("count", call("count")), carrying(ignores_unknown=ignored)))
    trial.others.answers["count"] = intents({"target": "store_effect"}, {"target": "nobody"})
    run = await trial.advance()
    assert run.status == ("completed" if ignored else "failed")
    assert len(trial.others.names("store")) == int(ignored)
    assert run.error == ("" if ignored else "Nothing is said about intents for nobody.")


async def test_events_of_intents_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Trial((Step("count", call("count")), Step("carry", carrying().does, ("count",), retry=Retry(2, 0.001))))
    trial.others.answers["count"] = intents({"target": "bus"})
    failures = [ModelOnexError(message="away", error_code=PASSING)]
    publish = trial.publish

    async def broken(topic: str, payload: JsonValue, correlation_id: UUID) -> None:
        if failures:
            raise failures.pop()
        await publish(topic, payload, correlation_id)

    monkeypatch.setattr(trial, "publish", broken)
    assert (await trial.advance()).status == "completed"
    assert trial.published == [("counted.v1", {"target": "bus"})]


@pytest.mark.parametrize("idempotent", [False, True])
async def test_an_event_that_may_be_published_is_published_again_only_where_that_does_no_harm(idempotent: bool) -> None:
    step = Step("carry", carrying().does, ("count",), retry=Retry(3, 0.001), idempotent=idempotent)
    trial = Trial((Step("count", call("count")), replace(step, timeout_seconds=0.005)))
    trial.others.answers["count"] = intents({"target": "bus"})
    tried: list[str] = []

    async def stuck(topic: str, _payload: JsonValue, correlation_id: UUID) -> None:
        assert correlation_id == trial.run.correlation_id
        tried.append(topic)
        await asyncio.Event().wait()

    workflow = Workflow("job", Job, Outcome, trial.steps)
    await Engine(trial.others, trial.tell, stuck).advance(workflow, trial.request, trial.run, trial.keep)
    assert tried == ["counted.v1"] * (3 if idempotent else 1)
    assert trial.run.error == "counted.v1 gave no answer within 0.005 s."
    assert trial.run.unknown_outcomes == ["carry[0]"]


async def test_what_is_no_function_of_the_input_is_the_same_in_a_run_that_is_gone_on_with() -> None:
    made = call("do", name=lambda known: [known.now, known.uuid("input 0"), known.uuid("input 1"), known.item])
    steps = (Step("each", made, each=Each(names, max_parallel=1)),)
    whole = Trial(steps)
    await whole.advance()
    rest = Trial(steps, run=load(whole.kept[0]))
    await rest.advance()
    assert whole.others.names("do")[1:] == rest.others.names("do")
    shown = [value for name in whole.others.names("do") if isinstance(name, list) for value in name[1:3]]
    assert len(set(map(str, shown))) == 6


PIPELINE = (
    Step("extract", call("extract"), compensate=call("undo", name=lambda _: "extract")),
    Step("aside", call("aside"), ("extract",), when=condition("False", lambda _: False)),
    replace(looping(3), after=("extract",)),
    Step("count", call("count", seen=lambda known: value_at(known.steps, "bodies", 1, "text")), ("bodies",)),
    Step("carry", carrying().does, ("count",)),
    Step(
        "last",
        call("last", seen=lambda known: [known.steps.get(name) for name in ("aside", "carry", "bodies")]),
        ("carry", "aside"),
        on_failure="compensate",
    ),
)


def answering(*, fails: bool) -> Others:
    made = intents({"target": "store_effect", "payload": {"name": "x"}}, {"target": "store_effect", "priority": 9})
    return Others({"write": writing, "check": checking, "count": made, **({"last": refuse} if fails else {})})


async def whole_run(*, fails: bool) -> Trial:
    trial = Trial(PIPELINE, answering(fails=fails))
    await trial.advance()
    return trial


@pytest.mark.parametrize("fails", [False, True])
async def test_killed_at_every_point_nothing_that_finished_runs_twice(fails: bool) -> None:
    whole = await whole_run(fails=fails)
    assert whole.run.status == ("compensated" if fails else "completed"), whole.run.error
    for point, text in enumerate(whole.kept):
        before = load(text)
        rest = Trial(PIPELINE, answering(fails=fails), load(text))
        run = await rest.advance()
        assert (run.status, run.answers) == (whole.run.status, whole.run.answers), point
        over = {record.name for record in before.steps if not record.composite and record.status != "skipped"}
        assert all(made in whole.others.calls for made in rest.others.calls), point
        ids = Counter(call_id for _, _, call_id in rest.others.calls)
        assert max(ids.values(), default=1) == 1, point
        done = len(over) + sum(record.status == "compensated" for record in before.steps)
        assert done + len(rest.others.calls) == len(whole.others.calls), point
        undone = [record.name for record in reversed(before.steps) if record.status == "compensated"]
        wanted = whole.others.names("undo") + whole.others.names("unwrite")
        assert len(undone) + len(rest.others.names("undo") + rest.others.names("unwrite")) == len(wanted), point


async def test_what_was_done_is_undone_in_reverse_over_items_and_rounds() -> None:
    whole = await whole_run(fails=True)
    undone = [name for name, status in whole.told if status == "compensated"]
    finished = [name for name, status in whole.told if status == "completed"]
    assert undone == [name for name in reversed(finished) if name == "extract" or name.endswith(".write")]
    assert whole.run.lasting  # what nothing undoes is still there


@pytest.mark.parametrize("kept", [True, False])
async def test_a_deadline_leaves_items_under_way_unknown_and_undoes_the_rest(kept: bool) -> None:
    step = Step(
        "each", call("do", name=item), each=Each(names, 3), on_failure="compensate", compensate=call("undo", name=item)
    )
    trial = Trial((step,))
    waits = {"a": 0.0, "b": 5.0, "c": 5.0}

    class Slow(Others):
        async def call(
            self, _node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
        ) -> Mapping[str, JsonValue]:
            if operation == "do":
                await asyncio.sleep(waits[str(payload["name"])])
            return await super().call(_node, operation, payload, call_id)

    trial.others = Slow()
    engine = Engine(trial.others, trial.tell)
    workflow = Workflow("job", Job, Outcome, trial.steps, 0.1)
    await engine.advance(workflow, trial.request, trial.run, trial.keep if kept else None)
    assert (trial.run.status, trial.run.failed_step) == ("failed", "each[1]")
    assert trial.run.unknown_outcomes == ["each[1]", "each[2]"]
    assert trial.others.names("undo") == ["a"]


class Uneven(Others):
    """The item `b` is refused while `c` is under way, in a group and in its second round."""

    async def call(
        self, node: str, operation: str, payload: Mapping[str, JsonValue], call_id: UUID
    ) -> Mapping[str, JsonValue]:
        name = str(payload.get("name"))
        if operation == "second" and name == "c":
            await asyncio.sleep(0.1)
        answer = await super().call(node, operation, payload, call_id)
        if operation == "second" and name == "b":
            refuse(payload)
        return answer


@pytest.mark.parametrize("on_failure", ["continue", "compensate"])
async def test_killed_at_every_point_beside_an_item_that_fails(on_failure: Literal["continue", "compensate"]) -> None:
    inner = Group((Step("one", call("first", name=item), compensate=call("undo", name=item)), _second()))
    until = condition("result is not None", lambda known: known.result is not None)
    steps = (Step("each", inner, each=Each(names, 3), repeat=Repeat(until, 2), on_failure=on_failure),)
    whole = Trial(steps, Uneven())
    await whole.advance()
    assert whole.run.status == ("completed" if on_failure == "continue" else "compensated"), whole.run.error
    for point, text in enumerate(whole.kept):
        rest = Trial(steps, Uneven(), load(text))
        run = await rest.advance()
        assert (run.status, run.answers, run.error) == (whole.run.status, whole.run.answers, whole.run.error), point
        if not any(record.status == "failed" for record in load(text).steps):
            continue  # `c` may come too late for its second call
        assert Counter(record.name for record in run.steps) == Counter(record.name for record in whole.run.steps), point
        over = {record.name for record in load(text).steps if not record.composite}
        again = [operation for operation, _, _ in rest.others.calls if not operation.startswith("un")]
        made = [operation for operation, _, _ in whole.others.calls if not operation.startswith("un")]
        assert len(over) + len(again) == len(made), point


def _second() -> Step[Job]:
    return Step("two", call("second", name=item), ("one",), compensate=call("unsecond", name=item))
