"""What waits for an officer, and what they should know: decisions, hits, sightings, lapsing entries."""
