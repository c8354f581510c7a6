"""A document becomes the contract that counts: read with places, completed, renamed keys put right."""
