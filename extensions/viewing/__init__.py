"""What templates are handed: plain values made from the contract and the decisions."""
