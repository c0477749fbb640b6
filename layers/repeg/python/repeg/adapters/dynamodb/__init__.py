"""The store on DynamoDB: rows, conditions, transactions."""
