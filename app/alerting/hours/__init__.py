"""Opening hours of checkpoints: when people are examined there, and when nobody is there to be alerted."""
