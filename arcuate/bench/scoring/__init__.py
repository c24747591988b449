"""From the C-STORE of a scan to its recorded result: ours, and as built from well-known parts."""
