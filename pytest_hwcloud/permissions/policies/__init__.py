"""Policy files of the project: lint, comparison, edits."""
