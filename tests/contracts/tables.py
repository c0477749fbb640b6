"""An empty DynamoDB table for contract tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3  # noqa: TID251 - the store's tests bring the store its client
from botocore.config import Config  # noqa: TID251 - as above

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "repeg-contract"


def a_client(endpoint: str | None = None) -> DynamoDBClient:
    """A client with dummy credentials."""
    return boto3.client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )


def create_table(client: DynamoDBClient, name: str = TABLE) -> None:
    """Create the table as the template declares it: two string keys, on-demand billing."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
