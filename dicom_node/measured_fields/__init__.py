"""Visual fields that perimeters measured, read from their objects. Nothing here writes one."""
