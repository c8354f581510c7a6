"""What was generated: counted, told, drawn, and sent to who listens."""
