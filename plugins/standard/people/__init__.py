"""The people whose hours somebody looks after, with what each has recorded in a month or a week."""
