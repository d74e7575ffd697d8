"""`python -m app.cli`: runs the `cekal` command without the installed script."""

from app.cli import main

if __name__ == "__main__":  # multiprocessing also imports this module in each worker process
    main()
