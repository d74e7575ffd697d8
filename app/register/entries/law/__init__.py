"""The law's rules for a request, and its periods and deadlines (`docs/rules.md`)."""
