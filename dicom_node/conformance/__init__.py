"""The conformance statement: what the running configuration accepts, proposes and emits."""
