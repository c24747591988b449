"""Knowledge of the 24-2 visual field: its points, norms, indices and nerve-fibre map."""
