"""The views, so that a missing one is noticed."""

VIEWS = {
    "events",
    "event_conflicts",
    "session_summary",
    "question_summary",
    "test_summary",
    "session_completions_by_hour",
    "session_starts_by_hour",
    "wrong_answers_by_question",
    "orders",
    "orders_conflicts",
    "orders_current",
    "customer_lifetime_value",
    "inventory",
    "inventory_conflicts",
    "stock_levels",
    "user_activity",
    "user_activity_conflicts",
    "user_funnel",
    "dimension_changes",
    "dimension_changes_conflicts",
    "session_changes",
    "session_changes_conflicts",
    "sessions_dim",
}
# What they read is small, or has no date.
VIEWS_WITHOUT_A_FUNCTION = {
    "dimension_versions",
    "etl_job_status",
    "students_dim",
    "teachers_dim",
    "tests_dim",
    "questions_dim",
    "lateness_rules",
}
