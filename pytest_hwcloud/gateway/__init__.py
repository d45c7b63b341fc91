"""The same cloud for other processes: loopback server, certificates, the environment of children, and the guard."""
