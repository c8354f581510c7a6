"""Text, code and documents as text: nothing here knows a contract."""
