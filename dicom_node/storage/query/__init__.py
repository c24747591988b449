"""One engine for every query: a level and matching keys in, SQL out, plain records back."""
