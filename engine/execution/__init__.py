"""How a run is carried out: the orders given to the fork server and what comes of them."""
