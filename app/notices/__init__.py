"""What officers are told: measures that end soon, deadlines that passed, checkpoints that are silent."""
