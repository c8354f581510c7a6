# The runtime of copier-onex, the same in every node. Change it in the template, not here.
"""Runs the node's workflows, and goes on with runs that were left unfinished."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4, uuid5

from omnibase_core.enums import EnumCoreErrorCode, EnumLogLevel
from omnibase_core.errors import ModelOnexError
from omnibase_core.logging import emit_log_event_sync
from pydantic import BaseModel, ValidationError

from ..correlation import CORRELATION_ID
from .engine import Engine
from .run import Run
from .run_store import Lease, RunStore
from .step import Workflow

# How many times a lease is renewed before it would end.
_RENEWALS = 3


class LeaseLostError(Exception):
    """Somebody else took over the run."""


class Workflows:
    """The node's workflows, and what their runs need."""

    def __init__(
        self,
        engine: Engine,
        node: str,
        store: RunStore | None = None,
        lease_seconds: float = 60.0,
    ) -> None:
        """Keep what runs need.

        Args:
            engine: Runs them.
            node: ONEX's name of this node.
            store: Where runs are kept; without one they end with the request.
            lease_seconds: How long a run that was left unfinished waits for another process to go on with it.
        """
        self._engine = engine
        self._node = node
        self._store = store
        self._lease_seconds = lease_seconds
        self._resuming: asyncio.Task[None] | None = None

    async def run[InputT: BaseModel](self, workflow: Workflow[InputT], request: InputT) -> Run:
        """Run a workflow to its end; the same request again gets the run that there is, as far as it has come.

        Args:
            workflow: The workflow.
            request: The operation's input.

        Returns:
            The finished run.

        Raises:
            ModelOnexError: RESOURCE_UNAVAILABLE while the same request runs elsewhere.
        """
        run = new_run(workflow, request)
        if self._store is None:
            await self._engine.advance(workflow, request, run)
            return run
        return await self._run_kept(workflow, request, run, self._store)

    async def resume(self, workflows: Mapping[str, Workflow[Any]]) -> int:
        """Go on with every run that was left unfinished and that nobody has, one after the other.

        Args:
            workflows: The workflows by operation.

        Returns:
            How many there were.
        """
        count = 0
        store = self._store
        lease = Lease(uuid4(), self._lease_seconds)
        while store is not None and (run := await store.claim_abandoned(lease)) is not None:
            line: dict[str, object] = {"node": self._node, "run_id": str(run.run_id), "operation": run.operation}
            count += 1
            try:
                workflow = workflows[run.operation]
                request = workflow.input_model.model_validate(run.payload)
            except (KeyError, ValidationError):
                # The contract changed since: somebody has to look at what was done.
                run.status, run.error = "failed", "The contract has no workflow for this run any more."
                await store.save(run, lease)
                emit_log_event_sync(EnumLogLevel.ERROR, "run_given_up", line)
            else:
                emit_log_event_sync(EnumLogLevel.INFO, "run_resumed", line)
                with contextlib.suppress(LeaseLostError):
                    await self._advance(workflow, request, run, store, lease)
            lease = Lease(uuid4(), self._lease_seconds)
        return count

    def start(self, workflows: Mapping[str, Workflow[Any]]) -> None:
        """Look for unfinished runs now and whenever a lease may have ended; does nothing when it does already."""
        if self._resuming is None or self._resuming.done():
            self._resuming = asyncio.create_task(self._resume_for_ever(workflows))

    async def stop(self) -> None:
        """Stop that; a run that is under way is left to whoever goes on with it."""
        resuming, self._resuming = self._resuming, None
        if resuming is not None:
            resuming.cancel()
            await asyncio.gather(resuming, return_exceptions=True)

    async def _run_kept[InputT: BaseModel](
        self, workflow: Workflow[InputT], request: InputT, new: Run, store: RunStore
    ) -> Run:
        lease = Lease(uuid4(), self._lease_seconds)
        run = await store.claim(new, lease)
        if run is None:
            raise ModelOnexError(
                message=f"The same request to {workflow.operation} is under way already.",
                error_code=EnumCoreErrorCode.RESOURCE_UNAVAILABLE,
            )
        if not run.finished:
            try:
                await self._advance(workflow, request, run, store, lease)
            except LeaseLostError as error:
                raise ModelOnexError(
                    message=f"Another process went on with the run of {workflow.operation}.",
                    error_code=EnumCoreErrorCode.RESOURCE_UNAVAILABLE,
                ) from error
        return run

    async def _resume_for_ever(self, workflows: Mapping[str, Workflow[Any]]) -> None:
        while True:
            try:
                await self.resume(workflows)
            except Exception as error:
                emit_log_event_sync(
                    EnumLogLevel.WARNING, "resume_failed", {"node": self._node, "error": type(error).__name__}
                )
            await asyncio.sleep(self._lease_seconds)

    async def _advance[InputT: BaseModel](
        self, workflow: Workflow[InputT], request: InputT, run: Run, store: RunStore, lease: Lease
    ) -> None:
        async def keep(run: Run) -> None:
            if not await store.save(run, lease):
                raise LeaseLostError

        working = asyncio.ensure_future(self._engine.advance(workflow, request, run, keep))
        renewing = asyncio.ensure_future(_renew(run.run_id, store, lease))
        try:
            await asyncio.wait({working, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
                raise LeaseLostError
            await working
        except asyncio.CancelledError:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            raise
        finally:
            renewing.cancel()
            if not run.finished:
                with contextlib.suppress(ModelOnexError):
                    await asyncio.shield(asyncio.ensure_future(store.release(run.run_id, lease)))


def new_run[InputT: BaseModel](workflow: Workflow[InputT], request: InputT) -> Run:
    """Return a run of which nothing is known yet; its identity follows from that of the request and its content."""
    correlation_id: UUID = CORRELATION_ID.get() or uuid4()
    payload = request.model_dump(mode="json")
    identity = json.dumps([workflow.operation, payload], sort_keys=True)
    return Run(uuid5(correlation_id, identity), workflow.operation, correlation_id, payload)


async def _renew(run_id: UUID, store: RunStore, lease: Lease) -> None:
    while True:
        await asyncio.sleep(lease.seconds / _RENEWALS)
        # A store that is away for a moment costs no lease: the next renewal may still be in time.
        with contextlib.suppress(ModelOnexError):
            if not await store.renew(run_id, lease):
                return
