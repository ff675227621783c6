"""Proof by storm: commands against everything that breaks, and an independent look at what became of them."""
