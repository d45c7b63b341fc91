"""Where client libraries reach for the network: one file a library, and the router they ask."""
