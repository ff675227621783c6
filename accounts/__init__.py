"""Users, their exchange accounts and hooks, and the vault that keeps their keys."""
