"""What commands have in common at a terminal: options, help, completion, exit statuses, progress."""
