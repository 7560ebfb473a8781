"""Routing: entry points, queues, and which agent is offered which contact."""
