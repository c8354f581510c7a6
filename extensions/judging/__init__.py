"""All that is wrong with a contract, found at once."""
