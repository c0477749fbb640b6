"""The REST API: routes, parameters, request bodies and answers."""
