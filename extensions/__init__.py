"""The mind of the template: reads a contract, judges it, decides, and hands templates plain values."""
