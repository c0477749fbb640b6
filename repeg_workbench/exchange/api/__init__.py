"""The REST API: routes, parameters, request bodies, answers."""
