"""What a call is: method, URL and body to operation and actions."""
