"""Clients we did not write that need a process of their own; `tests/exchanges/elsewhere.py` starts them."""
