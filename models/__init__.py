"""What tidui decides and remembers. Imports neither Flask nor Celery."""
