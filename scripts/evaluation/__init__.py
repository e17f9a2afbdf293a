"""What scripts/evaluate is made of: corpora, hearing them, scoring, tables and pages."""


class EvaluationError(Exception):
    """What a user can put right, in a line: where, what was expected, what to do."""
