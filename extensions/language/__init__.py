"""The contract language as typed values, each default filled in, and what its expressions and references mean."""
