"""The simulated exchanges: one matching engine, one wire dialect per native venue."""
