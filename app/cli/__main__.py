"""`python -m app.cli`: the command where no script is installed."""

from app.cli import main

if __name__ == "__main__":  # a worker process imports this module too, as multiprocessing wants it
    main()
