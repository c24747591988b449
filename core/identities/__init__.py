"""Who is who, corrected: studies moved, patients merged, each with its history and a way back."""
