"""The language of the webhook body: text in, `execution.commands` out."""
