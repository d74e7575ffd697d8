"""Whether two records speak of one person: names aligned, births compared, evidence weighed; pure."""
