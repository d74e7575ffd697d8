"""HTTP code without domain rules: problems, versions, paging, middleware, metrics, the OpenAPI document."""
