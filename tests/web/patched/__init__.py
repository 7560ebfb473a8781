"""The HTTP server itself, which needs the gevent patch."""
