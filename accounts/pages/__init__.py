"""The pages of this app: thin views over `accounts.flows`."""
