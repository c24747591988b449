"""Telling others of changes: the feed, posted to whoever subscribed."""
