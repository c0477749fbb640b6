"""Plans as people have them: every form of file becomes one document, which `repeg.domain.plan` then checks."""
