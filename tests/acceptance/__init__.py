"""The whole engine, in processes of its own, with a switch and a database."""
