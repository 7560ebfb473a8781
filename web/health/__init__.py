"""How the parts of the system are, for whoever watches over them."""
