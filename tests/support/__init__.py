"""What the tests stand on: databases, a clock, officers with keys, bodies, a served application."""
