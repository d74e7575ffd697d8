"""The application with the settings of the environment; the only module that acts on import."""

from app.kit import logs
from app.kit.garbage import keep_loaded_objects
from app.main import create_app
from app.settings_sources import load_settings

settings = load_settings()
logs.configure(settings.log_level, json=settings.log_json)
app = create_app(settings)
keep_loaded_objects()
