"""IAM policies: documents, conditions, the decision and its reasons."""
