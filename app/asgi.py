"""The application with the settings of the environment; the only module that acts on import."""

import gc

from app.kit import logs
from app.main import create_app
from app.settings import load_settings

GARBAGE = 20_000
"""New objects between two looks for circular garbage; requests leave next to none."""

settings = load_settings()
logs.configure(settings.log_level, json=settings.log_json)
app = create_app(settings)
gc.collect()
gc.freeze()  # what was imported stays: looking through it again and again costs a tenth of each check
gc.set_threshold(GARBAGE)
