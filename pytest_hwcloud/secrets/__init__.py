"""What is secret: names, shapes, encodings; scrubber, detector, redaction."""
