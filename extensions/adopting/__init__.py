"""What is there becomes a contract: nodes written by hand, descriptions of HTTP APIs, and schemas of databases."""
