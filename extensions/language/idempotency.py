"""Answers that are kept by the keys of their requests: the table that they are in."""

from .contract import Contract


def table(contract: Contract) -> str:
    """Return the name of the table; empty where no operation keeps answers."""
    kept = any(operation.idempotency_key for operation in contract.operations)
    return f"{contract.name}_kept_answers" if kept else ""


def migration_id(contract: Contract) -> str:
    """Return the id of the migration that makes the table."""
    return f"0000_{table(contract)}"
