"""The four gates in front of every replayed answer: network, authentication, scope, authorization."""
