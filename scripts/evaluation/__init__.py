"""What scripts/evaluate is made of: corpora, hearing them, scoring, tables and pages."""
