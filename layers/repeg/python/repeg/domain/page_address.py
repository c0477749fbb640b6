"""Where the page of a run is kept, and how a person opens it: the bucket is private, so that a plain link does not."""

from __future__ import annotations

from urllib.parse import quote

from repeg.domain.frozen import Frozen
from repeg.domain.plan import day_of

# The console's host by the account's partition, the second part of every ARN.
_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


def page_key(run_id: str) -> str:
    """The key of a run's page. Apart from the journal, which a function that writes pages must not be able to change.
    Raises ValueError for an id without a date."""
    return f"reports/{day_of(run_id).isoformat()}/{run_id}/run.html"


class PageAddress(Frozen):
    """The bucket that a stack's pages are in, and the stack's id, an ARN; both empty outside of a stack."""

    bucket: str = ""
    stack_id: str = ""

    def uri(self, run_id: str) -> str:
        """The page as s3://bucket/key; empty where there is no bucket, or the id has no date."""
        try:
            return f"s3://{self.bucket}/{page_key(run_id)}" if self.bucket else ""
        except ValueError:
            return ""

    def link(self, run_id: str) -> str:
        """The page in the console, for a person who is signed in; empty where its address is not known."""
        parts = self.stack_id.split(":")
        host = _CONSOLES.get(parts[1]) if len(parts) > 3 else None
        if host is None or not self.uri(run_id):
            return ""
        region, key = parts[3], quote(page_key(run_id), safe="")
        return f"https://{region}.{host}/s3/object/{self.bucket}?region={region}&prefix={key}"

    def in_words(self, run_id: str, stack: str) -> str:
        """How to open the page, as a sentence; empty where there is none."""
        if not self.uri(run_id):
            return ""
        where = self.link(run_id) or self.uri(run_id)
        command = f"`repeg report {run_id} --open --stack {stack}`"
        return f"Its page, in a minute: {where} (signed in to the account), or {command}."
