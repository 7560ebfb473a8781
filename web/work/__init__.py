"""Work orders: opened, given to somebody, done, reopened, closed; their types are data."""
