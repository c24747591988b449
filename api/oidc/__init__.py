"""The OpenID provider: signing people in by it, and taking its access tokens."""
