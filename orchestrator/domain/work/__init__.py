"""Work orders: their types as data (`ordertypes`), and what happens to one (`orders`)."""
