"""The words exchanged with a switch: facts it reports, instructions it is given, and the node's own stream."""
