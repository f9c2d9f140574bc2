"""Learner events: each is one thing that a learner did on a learning platform between exams."""
