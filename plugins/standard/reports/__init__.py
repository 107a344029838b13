"""Reports: what hours add up to, by customer, project, task, person, day, week and month, and their exports."""
