"""How quickly the pages answer, with many readers and scans coming in."""
