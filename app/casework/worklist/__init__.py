"""The worklist of an officer: tasks with their deadlines, and recent notices, hits and sightings."""
