"""The breadth of an entry: how many travellers of the last days it would have stopped, counted in a sample."""
