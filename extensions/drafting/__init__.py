"""From words to a contract: what a description says for sure, and what is guessed from it, with the words."""
