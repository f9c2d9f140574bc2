"""Changes of students, teachers, tests and questions."""
