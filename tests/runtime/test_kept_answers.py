"""A request with a key takes effect once, however often and however broken it comes."""

from __future__ import annotations

import asyncio
import gc
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from omnibase_core.enums import EnumCoreErrorCode
from omnibase_core.errors import ModelOnexError
from onex_node_runtime.adapters.adapter_postgres import AdapterPostgres
from onex_node_runtime.adapters.retry_policy import RetryPolicy
from onex_node_runtime.adapters.transaction import Statements, UndoneError
from onex_node_runtime.correlation import CORRELATION_ID
from onex_node_runtime.effects import EFFECTS, Effects
from onex_node_runtime.idempotency import kept_answers
from onex_node_runtime.idempotency.kept_answers import Keeping, KeptAnswers
from onex_node_runtime.idempotency.keyed import EXPECTED, KEYED, KeyedRequest, key_in
from pydantic import BaseModel, SecretStr

from extensions.viewing.idempotency import _TABLE
from tests.faults.proxy import Proxy, proxy
from tests.runtime.building import Settings
from tests.runtime.building import postgres as adapter_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TABLE = "kept"
DAY = 86_400.0


class Input(BaseModel):
    amount: int = 1


class Output(BaseModel):
    number: int


class Bank:
    """Operations on a table of entries, with and without keys."""

    def __init__(self, postgres: AdapterPostgres, *, seconds: float = DAY) -> None:
        self.postgres = postgres
        self.runs = 0
        self.answers = KeptAnswers(postgres, TABLE, seconds=seconds)
        self.write = self.answers.around(Keeping("write", Output), self._write)
        self.take = self.answers.around(Keeping("take", Output), self._take)

    async def _write(self, request: Input) -> Output:
        self.runs += 1
        row = await self.postgres.fetch_one("INSERT INTO entries (amount) VALUES ($1) RETURNING id", request.amount)
        assert row is not None
        return Output(number=row["id"])

    async def _take(self, request: Input) -> Output:
        async def work(statements: Statements) -> Output:
            await statements.execute("INSERT INTO entries (amount) VALUES ($1)", request.amount)
            raise UndoneError

        try:
            return await self.postgres.transact(work)
        except UndoneError:
            return Output(number=0)

    async def ask(
        self, key: str, amount: int = 1, *, operation: str = "write", caller: str = ""
    ) -> tuple[Output, KeyedRequest]:
        keyed = KeyedRequest(key, caller)
        KEYED.set(keyed)
        return await getattr(self, operation)(Input(amount=amount)), keyed


async def rows(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def entries(url: str) -> int:
    return len(await rows(url, "SELECT id FROM entries"))


@pytest_asyncio.fixture
async def url(postgres: str) -> str:
    made = "DROP TABLE IF EXISTS entries, kept; CREATE TABLE entries (id serial, amount int CHECK (amount > 0))"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"{made}; {_TABLE.format(table=TABLE)}")
    await connection.close()
    return postgres


@pytest_asyncio.fixture
async def between(url: str) -> AsyncIterator[Proxy]:
    async with proxy(url) as between:
        yield between


@pytest_asyncio.fixture(params=["", "serializable"], ids=["read committed", "serializable"])
async def bank(url: str, request: pytest.FixtureRequest) -> AsyncIterator[Bank]:
    postgres = adapter_of(Settings(database_url=SecretStr(url)), request.param)
    yield Bank(postgres)
    await postgres.close()


async def test_the_same_request_is_answered_as_the_first_time(bank: Bank, url: str) -> None:
    first, keyed = await bank.ask("a")
    again, repeated = await bank.ask("a")
    assert first == again
    assert (keyed.replayed, repeated.replayed) == (False, True)
    assert (bank.runs, await entries(url)) == (1, 1)


async def test_a_request_without_a_key_is_its_own(bank: Bank, url: str) -> None:
    KEYED.set(None)
    assert (await bank.write(Input())) != (await bank.write(Input()))
    assert await entries(url) == 2
    assert await rows(url, "SELECT key FROM kept") == []


async def test_another_input_is_a_mistake(bank: Bank, url: str) -> None:
    await bank.ask("a", 1)
    with pytest.raises(ModelOnexError) as caught:
        await bank.ask("a", 2)
    assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert caught.value.message == "This Idempotency-Key belongs to a request with another input."
    assert await entries(url) == 1


async def test_keys_are_those_of_a_caller_and_an_operation(bank: Bank, url: str) -> None:
    await bank.ask("a")
    for operation, caller in (("write", "bearer:ann"), ("write", "bearer:bob"), ("take", "")):
        _, keyed = await bank.ask("a", operation=operation, caller=caller)
        assert not keyed.replayed
    # What `take` did was undone.
    assert await entries(url) == 3


async def test_what_failed_is_not_kept(bank: Bank, url: str) -> None:
    for _ in range(2):
        with pytest.raises(ModelOnexError) as caught:
            await bank.ask("a", -1)
        assert caught.value.error_code is EnumCoreErrorCode.VALIDATION_ERROR
    assert (bank.runs, await rows(url, "SELECT key FROM kept")) == (2, [])
    assert not (await bank.ask("a", 1))[1].replayed


async def test_what_was_undone_is_kept_as_an_answer(bank: Bank, url: str) -> None:
    for replayed in (False, True):
        answer, keyed = await bank.ask("a", operation="take")
        assert (answer, keyed.replayed) == (Output(number=0), replayed)
    assert await entries(url) == 0


async def test_a_crowd_takes_effect_once(bank: Bank, url: str) -> None:
    asked = await asyncio.gather(*(asyncio.create_task(bank.ask("a")) for _ in range(100)))
    assert len({answer.number for answer, _ in asked}) == 1
    assert [keyed.replayed for _, keyed in asked].count(False) == 1
    assert await entries(url) == 1


@pytest.mark.parametrize("isolation", ["", "serializable"])
async def test_processes_take_turns(url: str, isolation: Any) -> None:
    banks = [Bank(adapter_of(Settings(database_url=SecretStr(url), retry_max_attempts=1), isolation)) for _ in range(4)]

    async def ask(bank: Bank, key: str) -> Output | object:
        try:
            return (await bank.ask(key))[0]
        except ModelOnexError as error:
            return error.error_code, error.message

    for number in range(5):
        found = await asyncio.gather(*(asyncio.create_task(ask(bank, f"a{number}")) for bank in banks))
        answers = [answer for answer in found if isinstance(answer, Output)]
        assert len({answer.number for answer in answers}) == 1
        # At a level that sees nothing of what began later, who comes second can't wait.
        refused = {answer for answer in found if not isinstance(answer, Output)}
        under_way = EnumCoreErrorCode.INVALID_OPERATION, "A request with this Idempotency-Key is under way."
        assert refused <= ({under_way} if isolation else set())
        assert await entries(url) == number + 1
    for bank in banks:
        await bank.postgres.close()


async def test_who_waits_takes_no_connection(url: str) -> None:
    bank = Bank(adapter_of(Settings(database_url=SecretStr(url), database_pool_max_size=2), ""))
    going, started = asyncio.Event(), asyncio.Event()

    async def slow(request: Input) -> Output:
        started.set()
        await going.wait()
        return await bank._write(request)

    bank.write = bank.answers.around(Keeping("slow", Output), slow)
    waiting = [asyncio.create_task(bank.ask("a")) for _ in range(10)]
    await started.wait()
    await bank.ask("b", operation="take")
    going.set()
    assert len({answer.number for answer, _ in await asyncio.gather(*waiting)}) == 1
    await bank.postgres.close()


async def test_each_cut_of_the_conversation_leaves_one_row(between: Proxy, url: str) -> None:
    settings = Settings(
        database_url=SecretStr(between.url),
        retry_max_attempts=1,
        circuit_breaker_failure_threshold=10_000,
        database_pool_max_size=1,
    )
    bank = Bank(adapter_of(settings, ""))
    for key in ("first", "second"):
        await bank.ask(key)
    before = await between.quiet()
    await bank.ask("whole")
    length = await between.quiet() - before
    written, unknown = await entries(url), 0
    for position in range(1, length + 1, 7):
        between.cut_after(position)
        key, effects = str(uuid4()), Effects()
        EFFECTS.set(effects)
        try:
            await bank.ask(key)
        except ModelOnexError as error:
            unknown += error.context["additional_context"].get("outcome_unknown") is True
        assert effects.safe_to_repeat
        between.cut()
        answer, _ = await bank.ask(key)
        written += 1
        assert await rows(url, "SELECT max(id) FROM entries") == [answer.number]
        assert await entries(url) == written
    assert unknown > 0
    await bank.postgres.close()


async def test_a_commit_whose_answer_is_lost_is_found_by_a_retry(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank(adapter_of(Settings(database_url=SecretStr(url)), ""))
    commit = asyncpg.transaction.Transaction.commit
    lost: list[bool] = []

    async def losing(transaction: asyncpg.transaction.Transaction) -> None:
        await commit(transaction)
        if not lost:
            lost.append(True)
            raise asyncpg.ConnectionDoesNotExistError("lost")

    monkeypatch.setattr(asyncpg.transaction.Transaction, "commit", losing)
    answer, keyed = await bank.ask("a")
    assert lost
    assert keyed.replayed
    assert (bank.runs, await rows(url, "SELECT id FROM entries")) == (1, [answer.number])
    await bank.postgres.close()


async def test_keys_expire(url: str) -> None:
    bank = Bank(adapter_of(Settings(database_url=SecretStr(url)), ""))
    await bank.ask("a", 1)
    await asyncio.sleep(0)
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE kept SET expires_at = now() - interval '1 second'")
    _, keyed = await bank.ask("a", 2)
    assert not keyed.replayed
    assert await entries(url) == 2
    await connection.close()
    await bank.postgres.close()


async def test_what_is_old_is_forgotten(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MOST_FORGOTTEN", 2)
    connection = await asyncpg.connect(url)
    await connection.execute("INSERT INTO kept SELECT 'write', '', n, '', '', true, now() FROM generate_series(1, 5) n")
    await connection.close()
    bank = Bank(adapter_of(Settings(database_url=SecretStr(url)), ""))
    async with asyncio.timeout(20):
        # Where as many were forgotten as may be at once, there may be more: the next request goes on.
        while await rows(url, "SELECT key FROM kept WHERE expires_at < now()"):
            await bank.ask("a")
    assert await rows(url, "SELECT key FROM kept") == ["a"]
    await bank.postgres.close()


class SpiedPostgres:
    """Answers each request, and remembers how it was asked to, and what it was told to run beside."""

    def __init__(self) -> None:
        self.retries: list[RetryPolicy | None] = []
        self.told: list[tuple[str, tuple[object, ...], bool, object]] = []
        self.forgotten = 0
        self.going = asyncio.Event()
        self.going.set()
        self.error: ModelOnexError | None = None

    async def together(self, _work: object, *, retry: RetryPolicy | None) -> Output:
        self.retries.append(retry)
        return Output(number=1)

    async def execute(self, statement: str, *values: object, idempotent: bool) -> int:
        self.told.append((statement.partition(" ")[0], values, idempotent, CORRELATION_ID.get()))
        await self.going.wait()
        if self.error:
            raise self.error
        return self.forgotten


FORGETTING = ("DELETE", (kept_answers.MOST_FORGOTTEN,), True, None)


@pytest.fixture
def spied() -> SpiedPostgres:
    CORRELATION_ID.set(uuid4())
    return SpiedPostgres()


async def asked(spied: SpiedPostgres, times: int, retry: RetryPolicy | None = None) -> KeyedRequest:
    """Ask with a key, several times, and let what nobody waits for happen."""

    async def handle(_request: Input) -> Output:
        raise AssertionError("answered already")

    answers = KeptAnswers(spied, TABLE, seconds=DAY)  # type: ignore[arg-type]  # what it needs of it
    answer = answers.around(Keeping("write", Output, retry), handle)
    assert answer.__name__ == "handle"
    keyed = KeyedRequest("a", "ann")
    KEYED.set(keyed)
    for _ in range(times):
        await answer(Input())
        for _ in range(5):
            await asyncio.sleep(0)
    return keyed


@pytest.mark.parametrize("retry", [None, RetryPolicy.of(Settings())], ids=["of the node", "own"])
async def test_an_operation_is_tried_by_its_own_policy(spied: SpiedPostgres, retry: RetryPolicy | None) -> None:
    await asked(spied, 2, retry)
    assert spied.retries == [retry] * 2


async def test_what_is_old_is_forgotten_once_in_a_while_on_behalf_of_no_request(
    spied: SpiedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked(spied, 3)
    assert spied.told == [FORGETTING]
    monkeypatch.setattr(kept_answers, "FORGET_PAUSE_SECONDS", 0)
    await asked(spied, 3)
    assert spied.told == [FORGETTING] * 4


async def test_where_there_may_be_more_that_is_old_the_next_request_goes_on(spied: SpiedPostgres) -> None:
    spied.forgotten = kept_answers.MOST_FORGOTTEN
    await asked(spied, 3)
    assert spied.told == [FORGETTING] * 3


async def test_no_two_forget_at_once_in_a_process(spied: SpiedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "FORGET_PAUSE_SECONDS", 0)
    spied.going.clear()
    await asked(spied, 3)
    assert spied.told == [FORGETTING]
    spied.going.set()


async def test_a_database_that_is_away_beside_an_answer_makes_no_failure_of_it(
    spied: SpiedPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    spied.error = ModelOnexError(message="away", error_code=EnumCoreErrorCode.DATABASE_CONNECTION_ERROR)
    keyed = await asked(spied, 1)
    assert keyed.note_announced is not None
    await keyed.note_announced()
    assert spied.told == [FORGETTING, ("UPDATE", ("write", "ann", "a"), True, CORRELATION_ID.get())]
    gc.collect()
    assert caplog.text == ""


async def test_that_events_were_published_is_noted(bank: Bank) -> None:
    _, keyed = await bank.ask("a")
    assert keyed.note_announced is not None
    assert not (await bank.ask("a"))[1].announced
    await keyed.note_announced()
    assert (await bank.ask("a"))[1].announced


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ([], None),
        (["8e03978e-40d5-43dd-bc93-6894a57f9324"], "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        (['"8e03978e"'], "8e03978e"),
        (['  "a b, c;d"  '], "a b, c;d"),
        ([r'"a\"b\\c"'], 'a"b\\c'),
        (["x" * 255], "x" * 255),
        (['"' + r"\"" * 255 + '"'], '"' * 255),
        (["\ta~!"], "a~!"),
    ],
)
def test_keys_in_headers(given: list[str], key: str | None) -> None:
    assert key_in(given) == key


@pytest.mark.parametrize(
    "given",
    [
        [""],
        ['""'],
        ["a b"],
        ['"a'],
        ['a"'],
        ["a,b"],
        ["a;b"],
        ['"a";q=1'],
        [r'"a\n"'],
        ["ä"],
        ["x" * 256],
        ['"' + "x" * 256 + '"'],
        ["a", "a"],
        ["", "a"],
        ["a\x7f"],
    ],
)
def test_what_is_no_key(given: list[str]) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(EXPECTED)}$"):
        key_in(given)
