"""The change feed as it grows, sent to whoever listens: server-sent events."""
