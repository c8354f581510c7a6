"""Workflows: the order of their steps, the runs, and how steps reach other nodes."""
