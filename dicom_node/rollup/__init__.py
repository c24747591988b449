"""The roll-up: follows what comes in, settles studies, and keeps watch over who sends."""
