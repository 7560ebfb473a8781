"""The agent's desk: what rings, who talks, what is left to do; and the buttons for it."""
