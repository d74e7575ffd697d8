"""Server-sent event streams: a hub for each feed, which distributes frames, and the ASGI code that serves a stream."""
