"""HTTP craft that names no ban: problems, versions, paging, middleware, metrics, the OpenAPI document."""
