"""Checks of a node's project: syntax, structure, imports, ONEX's rules, security, types and lint, tests."""
