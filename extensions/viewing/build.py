"""The view of a node is built from its contract and the decisions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..deciding import monitoring, security
from ..deciding.decisions import (
    Decision,
    adapters,
    decide_base_class,
    decide_discovery,
    decide_integrations,
    decide_variant,
    not_generated,
)
from ..deciding.unanswered import guarded_adapters, without_effect
from ..language import complete, names, samples, sql
from ..language.computation import result_type
from ..language.contract import Contract, Example, Field, Model, Operation
from ..language.deployment import Consul
from ..language.publishing import FAILURE, Publication
from ..text import encode
from ..text.json_data import json_value
from . import aggregation, caches, fsm, integrations, runtime, topics
from . import calls as calls_viewing
from . import computation as computations
from . import database as database_viewing
from . import workflow as workflow_view
from .call import CallView, given_in
from .calls import KEY_HELPERS
from .deploy import service_name
from .fields import Symbol, field_code, hidden_words, second_names
from .integrations import Environment
from .node import NodeView
from .operation import OperationView, may_retry
from .resilience import RetryView, breaker_of, default_deadline, own_breakers, retry_of, retry_view
from .settings import names as setting_names
from .transaction import TransactionView, transaction_view
from .types import EnumView, EventView, TypeView


def cycles(models: Sequence[Model]) -> dict[str, frozenset[str]]:
    """Return, by model, the other models that it contains and that contain it."""
    direct = {model.name: {word for field in model.fields for word in _models_in(field)} for model in models}
    reached = {name: set(found) for name, found in direct.items()}
    for _ in models:
        reached = {name: found.union(*(reached.get(other, ()) for other in found)) for name, found in reached.items()}
    return {
        name: frozenset(other for other in found if other != name and name in reached[other])
        for name, found in reached.items()
    }


def _models_in(field: Field) -> set[str]:
    own = {str(field.reference)} if field.kind == "model" else set(field.union.models if field.union else ())
    return own | (_models_in(field.items) if field.items else set())


def _holds_model(field: Field) -> bool:
    return field.kind in {"model", "union"} or (field.items is not None and _holds_model(field.items))


# Judging asks for the view of a contract, and then the templates do.
_latest: dict[str, Any] = {}


def view(contract: Contract) -> NodeView:
    """Work out what templates need.

    Args:
        contract: A contract without problems.

    Returns:
        The view of the node.
    """
    if _latest.get("contract") is not contract:
        _latest.update(contract=contract, view=_Builder(contract).build())
    latest: NodeView = _latest["view"]
    return latest


class _Builder:
    def __init__(self, contract: Contract) -> None:
        contract = complete.complete(contract)
        self.contract = contract
        self.full_name = names.node_name(contract)
        self.module = f"{contract.package}.nodes.{self.full_name}"
        self.stem = names.pascal(contract.name)
        self.decisions = decide_integrations(contract)
        self.database_decision = self.decisions.get("postgres")
        self.environment = Environment(contract, setting_names(contract))
        self.cycles = cycles(contract.models)

    def build(self) -> NodeView:
        contract = self.contract
        base = decide_base_class(contract)
        discovery = decide_discovery(contract)
        classified = Decision("node type", contract.node_type, contract.classified) if contract.classified else None
        decisions = (
            classified,
            base.decision,
            decide_variant(contract),
            *self.decisions.values(),
            *((discovery,) if discovery else ()),
        )
        consul = self.consul() if discovery else None
        class_name = names.class_name(f"Node{self.stem}{names.pascal(contract.node_type)}")
        title = f"The {contract.name} node"
        operations = tuple(self.operation(operation) for operation in contract.operations)
        models = tuple(
            self.type(model.name, model.fields, model.description, f"The model {model.name}")
            for model in contract.models
        )
        kinds = (*models, *(side for operation in operations for side in (operation.input, operation.output)))
        needed = {symbol for kind in kinds for field in kind.fields for symbol in field.symbols}
        database = database_viewing.database_view(contract, operations) if self.database_decision else None
        retry, breaker = self.retry(), breaker_of(contract, guarded_adapters(contract))
        major, minor, patch = (int(part) for part in contract.version.split("-")[0].split("+")[0].split("."))
        return NodeView(
            contract=contract,
            name=contract.name,
            full_name=self.full_name,
            node_type=contract.node_type,
            class_name=class_name,
            stem=self.stem,
            words=contract.name.replace("_", " "),
            package=contract.package,
            package_path=contract.package.replace(".", "/"),
            package_parents=tuple(_parents(contract.package)),
            module=self.module,
            distribution=f"{names.kebab(contract.package)}-{names.kebab(contract.name)}",
            version=contract.version,
            version_map=(major, minor, patch),
            description=contract.description,
            title=title,
            node=self.symbol("node", class_name),
            lifecycle=self.symbol("lifecycle", names.class_name(f"Node{self.stem}Lifecycle")),
            settings=self.symbol("settings", names.model_class(f"{self.stem}Settings")),
            handler=self.symbol(
                f"handlers.handler_{contract.name}_{contract.node_type}",
                f"Handler{self.stem}{names.pascal(contract.node_type)}",
            ),
            request=self.symbol(f"models.model_{contract.name}_request", names.model_class(f"{self.stem}Request")),
            response=self.symbol(f"models.model_{contract.name}_response", names.model_class(f"{self.stem}Response")),
            operation_enum=self.symbol(
                f"models.enum_{contract.name}_operation", names.enum_class(f"{self.stem}Operation")
            ),
            command_topic=names.command_topic(contract),
            completed_topic=names.completed_topic(contract),
            base=base,
            decisions=tuple(decision for decision in decisions if decision),
            not_generated=(*not_generated(contract), *monitoring.without_effect(contract, adapters(contract))),
            unanswered=tuple(without_effect(contract)),
            enums=tuple(
                EnumView(
                    name=names.enum_class(enum.name),
                    file=f"enum_{names.snake(enum.name)}",
                    symbol=self.reference("enum", enum.name),
                    title=f"Values of {enum.name}",
                    description=enum.description,
                    members=tuple((member, value) for value, member in names.members(enum.values).items()),
                )
                for enum in contract.enums
            ),
            models=models,
            operations=operations,
            database=database,
            apis=self.wanted("http", integrations.http_views) or (),
            redis=self.wanted("redis", integrations.redis_view),
            kafka=self.wanted("kafka", integrations.kafka_view),
            files=self.wanted("files", integrations.files_view),
            environment=self.environment,
            retry=retry,
            breaker=breaker,
            own_breakers=own_breakers(contract, guarded_adapters(contract), breaker),
            consul=consul,
            has_bytes=self.reference("bytes", "") in needed,
            has_datetimes=self.reference("datetime", "") in needed,
            type_modules=frozenset(module.rpartition(".models.")[2] for module, _ in needed if ".models." in module),
            host=contract.service.host,
            port=contract.service.port,
            fsm=fsm.fsm_view(contract, self.symbol, self.reference),
        )

    def symbol(self, module: str, name: str) -> Symbol:
        shared = runtime.package(self.contract, self.module)
        return f"{shared if runtime.holds(module) else self.module}.{module}", name

    def reference(self, kind: str, name: str) -> Symbol:
        if kind == "bytes":
            return self.symbol("models.base64_bytes", "Base64Bytes")
        if kind == "format":
            return self.symbol("models.formats", name)
        if kind == "secret":
            return self.symbol("models.secrets", name)
        if kind == "datetime":
            return self.symbol("models.utc_datetime", "UtcDatetime")
        made = names.enum_class(name) if kind == "enum" else names.model_class(name)
        return self.symbol(f"models.{kind}_{names.snake(name)}", made)

    def type(self, name: str, fields: Sequence[Field], description: str, title: str) -> TypeView:
        hidden = hidden_words(fields)
        codes = tuple(field_code(field, self.reference, hidden) for field in fields)
        own = self.reference("model", name)
        late = {self.reference("model", other) for other in self.cycles.get(name, ())}
        symbols = {symbol for code in codes for symbol in code.symbols if symbol != own}
        late &= symbols
        symbols -= late
        symbols |= {("pydantic", "BaseModel"), ("pydantic", "ConfigDict")}
        mine = [symbol for symbol in symbols if symbol[0].startswith(f"{self.module}.")]
        third = [symbol for symbol in symbols if symbol[0] == "pydantic"]
        standard = [symbol for symbol in symbols if symbol not in mine and symbol not in third]
        return TypeView(
            name=own[1],
            file=own[0].rpartition(".")[2],
            symbol=own,
            title=title,
            description=description,
            fields=codes,
            imports=(encode.imports(standard), encode.imports(third), encode.imports(mine)),
            recursive=bool(late) or any(own in code.symbols for code in codes),
            late_imports=tuple(f"from {module} import {word}" for module, word in sorted(late)),
            second_names=second_names(hidden, codes),
        )

    def operation(self, whole: Operation) -> OperationView:
        # What its implementation has to do with ends before expressions follow.
        operation = replace(whole, output=whole.made)
        stem = names.pascal(operation.name)
        file = f"handler_{operation.name}"
        calls = calls_viewing.call(self.contract, operation, self.environment)
        reduction = self.reduction(operation)
        workflow = workflow_view.workflow_view(self.contract, operation)
        computation = self.computation(whole)
        module = f"handlers.custom.{file}" if operation.custom else f"handlers.{file}"
        common = {
            "name": operation.name,
            "constant": names.constant(operation.name),
            "description": operation.description,
            "title": f"The operation {operation.name}",
            "file": file,
            "handler": self.symbol(module, f"Handler{stem}"),
            "input": self.type(f"{stem}Input", operation.input, "", f"Input of {operation.name}"),
            "calls": calls,
            "returned": self.reference("model", result_type(operation.name) if whole.then else f"{stem}Output"),
            "output": self.type(f"{stem}Output", whole.output, "", f"Output of {operation.name}"),
        }
        database = operation.database
        returns = database.returns if database else None
        results, row_model, row_required = database_viewing.results(operation, self.reference)
        if reduction or operation.compute:
            results = reduction.results if reduction else computation.results if computation else results
        transaction = self.transaction(operation)
        transactions = self.contract.transactions
        return OperationView(
            **common,  # type: ignore[arg-type]  # the types of these keys are those of the fields by their names
            custom=operation.custom,
            query=database.query if database else "",
            call={"one": "fetch_one", "many": "fetch_all", "none": "execute"}[returns.rows]
            if returns and not transaction
            else "",
            parameters=database.parameters if database else (),
            arguments=tuple(
                database_viewing.argument(self.contract, operation, name, self.environment)
                for name in database.parameters
            )
            if database
            else (),
            row_required=row_required,
            results=results,
            row_model=row_model,
            row_fields=database_viewing.row_fields(self.contract, operation, self.reference),
            returns_rows=sql.returns_rows(database.query) if database else False,
            found=(returns.found or "") if returns else "",
            count=(returns.count or "") if returns else "",
            into=(returns.into or "") if returns else "",
            idempotent=operation.idempotent
            if operation.idempotent is not None
            else self.is_idempotent(operation, calls, reduction),
            keyed=operation.idempotency_key,
            transactional=bool(database and database.transaction and transactions and transactions.enabled),
            retry=self.own_retry(operation),
            timeout_seconds=workflow.longest_seconds
            if workflow
            else operation.timeout_seconds or default_deadline(self.contract, operation),
            events=self.events(operation),
            foreign=any(_holds_model(field) for field in operation.output),
            schedule=operation.schedule,
            requirements=operation.requirements,
            settings=operation.settings,
            scopes=operation.scopes,
            examples=tuple(_as_json(example) for example in operation.examples),
            shown_examples=tuple(
                Example(
                    input=samples.outside(self.contract, operation.input, _as_json(example).input),
                    output=samples.outside(self.contract, whole.output, _as_json(example).output),
                    description=example.description,
                )
                for example in operation.examples
            ),
            target=operation.target,
            sample=self.sample(operation),
            shown=self.shown(operation),
            row_sample=samples.row(self.contract, operation),
            bad_inputs=tuple(
                (what, left_out, {name: encode.repeated(value) for name, value in values.items()})
                for what, left_out, values in samples.bad_inputs(self.contract, operation)
            ),
            edges=tuple(
                {name: encode.repeated(value) for name, value in values.items()} for values in samples.edges(operation)
            ),
            defaults=samples.defaults(operation),
            handler_imports=self.handler_imports(common, operation, row_model),
            handler_argument=self.handler_argument(operation),
            reduction=reduction,
            workflow=workflow,
            computation=computation if operation.compute else None,
            then=computation if whole.then else None,
            transaction=transaction,
            cache=caches.cache_view(self.contract, operation),
            changes=caches.changes(self.contract, operation),
        )

    def transaction(self, operation: Operation) -> TransactionView | None:
        def argument(name: str) -> str:
            return database_viewing.argument(self.contract, operation, name, self.environment)

        return transaction_view(self.contract, operation, argument, self.reference)

    def sample(self, operation: Operation) -> dict[str, object] | None:
        found = samples.sample(self.contract, operation)
        return (
            found if found is not None and security.allowed(security.security(self.contract.security), found) else None
        )

    def shown(self, operation: Operation) -> dict[str, object] | None:
        found = self.sample(operation)
        return None if found is None else samples.outside(self.contract, operation.input, found)

    def computation(self, operation: Operation) -> computations.ComputationView | None:
        stem = names.pascal(operation.name)
        sides = (self.reference("model", f"{stem}{side}") for side in ("Input", "Output"))
        around = computations.Surroundings(self.symbol, self.reference, *sides)
        return computations.computation_view(self.contract, operation, around)

    def is_idempotent(self, operation: Operation, calls: CallView | None, reduction: object) -> bool:
        reads = operation.database is not None and operation.database.reads_only
        kept = operation.workflow is not None and self.contract.run_store is not None
        pure = self.contract.node_type == "compute" or reduction is not None
        return reads or kept or pure or (calls is not None and calls.idempotent)

    def reduction(self, operation: Operation) -> aggregation.AggregateView | fsm.FsmOperationView | None:
        if operation.aggregate:
            return aggregation.aggregate_view(self.contract, operation, self.symbol, self.reference)
        if operation.by_state_machine:
            return fsm.fsm_operation_view(self.contract, operation, self.symbol, self.reference)
        return None

    def handler_imports(
        self, common: Mapping[str, Any], operation: Operation, row_model: Symbol | None
    ) -> tuple[Symbol, ...]:
        symbols = [common["input"].symbol, common["returned"]]
        if key := self.adapter_key(operation):
            module = f"adapters.adapter_{key}"
            symbols.append(self.symbol(module, f"Adapter{key.capitalize()}"))
            calls: CallView | None = common["calls"]
            if calls:
                made = {"http": ["HttpCall"], "kafka": ["KafkaMessage"]}.get(key, [])
                symbols += [self.symbol("adapters.http_content", name) for name in calls.uses("FilePart")]
                paging = calls.uses("LinkedPages", "CursorPages", "NumberedPages")
                symbols += [self.symbol("paging", name) for name in (*paging, "every_item") if paging]
                helpers = calls.uses("encoded", "decoded", "member", "scored", "text_of", "json_of", "base64_text")
                symbols += [self.symbol(module, name) for name in (*made, *helpers)]
                symbols += [self.symbol("texts", name) for name in calls.uses("text", "form", "segment", "segments")]
                symbols += [self.symbol("keys", name) for name in calls.uses(*KEY_HELPERS)]
                symbols += [self.symbol("occasion", function) for _, function in calls.given]
                symbols += [self.symbol("models.secrets", name) for name in calls.uses("public")]
                symbols += [self.symbol("json_values", name) for name in calls.uses("given", "Null")]
                answers = calls.uses("every", "every_or_none", "first", "first_or_none")
                symbols += [self.symbol("answers", name) for name in answers]
                symbols += [self.symbol("topics", "topic_of")] if calls.topic else []
        elif self.decisions:
            symbols.append(self.symbol("adapters.adapters", "Adapters"))
        if operation.settings:
            symbols.append(self.symbol("settings", names.model_class(f"{self.stem}Settings")))
        if row_model:
            symbols.append(row_model)
        if transaction := self.transaction(operation):
            symbols += self.transaction_imports(transaction)
        elif operation.database:
            symbols += [self.symbol("adapters.sql", name) for name in ("SqlOperation", "Statement")]
            symbols += [self.symbol("adapters.sql", "model_of")] if row_model else []
            arguments = (
                database_viewing.argument(self.contract, operation, name, self.environment)
                for name in operation.database.parameters
            )
            symbols += [self.symbol("occasion", function) for _, function in given_in(" ".join(arguments))]
        if operation.retry and may_retry(operation) and self.retry():
            symbols.append(self.symbol("adapters.retry_policy", "RetryPolicy"))
        return tuple(symbols)

    def transaction_imports(self, transaction: TransactionView) -> list[Symbol]:
        symbols = [self.symbol("adapters.transaction", "Statements"), *transaction.models]
        symbols += [self.symbol("adapters.transaction", "UndoneError")] if transaction.undone else []
        symbols += [self.symbol("adapters.postgres_refusals", "parameters")] if transaction.names_parameters else []
        symbols += [self.symbol("adapters.postgres_values", "row_values")] if transaction.reads_rows else []
        return symbols + [self.symbol("occasion", function) for _, function in transaction.given]

    def own_retry(self, operation: Operation) -> RetryView | None:
        if not (operation.retry and may_retry(operation) and self.retry()):
            return None
        statuses = operation.retry.retryable_status_codes if operation.http else ()
        return replace(retry_view(operation.retry), retryable_status_codes=statuses)

    def handler_argument(self, operation: Operation) -> str:
        if operation.by_state_machine:
            return "entities"
        if operation.workflow:
            return "self.workflows"
        if operation.aggregate or operation.compute:
            return "figures" if operation.aggregate and self.contract.figure_store else ""
        if key := self.adapter_key(operation):
            return f"self.adapters.{operation.http.adapter if operation.http else key}"
        given = (["self.adapters"] if self.decisions else []) + (["self.settings"] if operation.settings else [])
        return ", ".join(given)

    def adapter_key(self, operation: Operation) -> str:
        keys = {"database": "postgres", "http": "http", "kafka": "kafka", "redis": "redis", "filesystem": "files"}
        return next((key for kind, key in keys.items() if getattr(operation, kind) is not None), "")

    def wanted[T](self, key: str, make: Callable[[Contract, Environment], T]) -> T | None:
        return make(self.contract, self.environment) if key in self.decisions else None

    def events(self, operation: Operation) -> tuple[EventView, ...]:
        return tuple(self.event(operation, item) for item in operation.publishes)

    def event(self, operation: Operation, item: Publication) -> EventView:
        returns = operation.database.returns if operation.database else None
        occurred, condition = "", "every success"
        if item.on == FAILURE:
            condition = "every failure with a valid input"
            transaction = self.transaction(operation)
            if transaction and transaction.undone:
                occurred = f"not output.{transaction.found}"
                condition = f"{condition}, and an answer with `{transaction.found}` false"
        elif returns and returns.found:
            occurred, condition = f"output.{returns.found}", f"a success with `{returns.found}` true"
        elif returns and returns.count:
            occurred, condition = f"output.{returns.count} > 0", f"a success with `{returns.count}` above 0"
        elif operation.by_state_machine and any(field.name == "changed" for field in operation.output):
            occurred, condition = "output.changed", "a success with `changed` true"
        elif operation.workflow and any(field.name == "status" for field in operation.output):
            occurred, condition = 'output.status == "completed"', "every run that completes"
        file = f"model_{operation.name}_{'failure_event' if item.on == FAILURE else 'event'}"
        made = "FailureEvent" if item.on == FAILURE else "Event"
        topic = names.event_topic(self.contract, item.event)
        return EventView(
            name=item.event,
            key=topics.key(topic, topics.published(self.contract)),
            topic=topic,
            file=file,
            symbol=self.symbol(f"models.{file}", names.model_class(f"{names.pascal(operation.name)}{made}")),
            on=item.on,
            occurred=occurred,
            condition=condition,
        )

    def consul(self) -> Consul:
        consul = self.contract.consul or Consul()
        return replace(consul, service_name=consul.service_name or service_name(self.contract))

    def retry(self) -> RetryView | None:
        operations = self.contract.operations
        own = any(each.retry and each.retry.enabled and may_retry(each) for each in operations)
        return retry_of(self.contract, guarded_adapters(self.contract), own=own)


def _as_json(example: Example) -> Example:
    return Example(
        input=json_value(example.input),  # type: ignore[arg-type]  # a mapping stays one
        output=json_value(example.output),  # type: ignore[arg-type]  # a mapping stays one
        description=example.description,
    )


def _parents(package: str) -> list[str]:
    parts = package.split(".")
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]
