"""Defects that an edit of the template could leave behind, each with the test that sees it.

Each is one change of the template's text. The test is named by its module and its name, with its argument in brackets.
"""

# ruff: noqa: E501 - a defect is text of the template as it stands there
from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """A defect: what it would do, the text and its replacement, and the test that fails with it."""

    what: str
    text: str
    becomes: str
    seen_by: str


DEFECTS: tuple[Defect, ...] = (
    Defect(
        "the schedule's role trusts another service, so that no run starts",
        "Principal: {Service: scheduler.amazonaws.com}",
        "Principal: {Service: events.amazonaws.com}",
        "test_golden::test_the_translated_template_is_the_reviewed_one",
    ),
    Defect(
        "the schedule starts an hour late",
        "ScheduleExpression: cron(25 9 ? * MON-FRI *)",
        "ScheduleExpression: cron(25 10 ? * MON-FRI *)",
        "test_template::test_the_schedule_fires_five_minutes_before_the_open_on_weekdays",
    ),
    Defect(
        "the schedule follows UTC, so that it is wrong by hours and moves with daylight saving",
        'ScheduleExpressionTimezone: America/New_York\n      FlexibleTimeWindow: {Mode: "OFF"}\n      Target:\n        Arn: !Ref ExecutePlan',
        'ScheduleExpressionTimezone: UTC\n      FlexibleTimeWindow: {Mode: "OFF"}\n      Target:\n        Arn: !Ref ExecutePlan',
        "test_template::test_the_schedule_uses_new_york_time",
    ),
    Defect(
        "a start is delivered hours late",
        "MaximumEventAgeInSeconds: 600\n",
        "MaximumEventAgeInSeconds: 86400\n",
        "test_template::test_a_scheduled_start_is_never_delivered_late",
    ),
    Defect(
        "the scheduled time is not filled in, so that a start of another day is not recognised",
        '{"scheduled_time": "<aws.scheduler.scheduled-time>", "plan_uri"',
        '{"scheduled_time": "<aws.scheduler.scheduled_time>", "plan_uri"',
        "test_template::test_the_scheduled_time_placeholder_is_not_escaped",
    ),
    Defect(
        "a deploy in mid-run changes the code of the running execution",
        "RepegOrdersArn: !Ref RepegOrders.Version",
        "RepegOrdersArn: !Ref RepegOrders.Alias",
        "test_versions::test_the_machine_calls_published_versions",
    ),
    Defect(
        "a step calls another step's function",
        "CloseRunArn: !Ref CloseRun.Version",
        "CloseRunArn: !Ref PlaceOrders.Version",
        "test_versions::test_each_substitution_is_the_version_of_its_function",
    ),
    Defect(
        "a placeholder of the definition is not substituted",
        "        PlanOrdersArn: !Ref PlanOrders.Version\n",
        "",
        "test_template::test_the_substitutions_match_the_definitions_placeholders",
    ),
    Defect(
        "a changed parameter publishes no version, so that its value does not take effect",
        "      VersionDescription: !Sub ${TradingMode} ${DataFeed} ${RequestsPerMinute} ${ScheduleState}\n",
        "      VersionDescription: !Sub ${TradingMode} ${DataFeed} ${RequestsPerMinute}\n",
        "test_versions::test_a_changed_parameter_value_publishes_a_new_version[WatchRuns]",
    ),
    Defect(
        "a superseded version is deleted while an execution still calls it",
        "  RepegOrders:\n    Type: AWS::Serverless::Function\n    UpdateReplacePolicy: Retain\n",
        "  RepegOrders:\n    Type: AWS::Serverless::Function\n    UpdateReplacePolicy: Delete\n",
        "test_versions::test_a_superseded_version_is_retained",
    ),
    Defect(
        "a function may be cut off between an intent and its request",
        "      Description: Reconciles every working order with the broker, and acts at most once on each.\n"
        "      CodeUri: functions/repeg_orders/\n      AutoPublishAliasAllProperties: true\n"
        "      VersionDescription: !Sub ${TradingMode} ${DataFeed} ${RequestsPerMinute} ${Waiting}\n"
        "      # A step that listens takes at most 600 seconds, and a last turn. One that polls is ended soon, even if it froze.\n"
        "      Timeout: !If [Listens, 655, 50]\n",
        "      Description: Reconciles every working order with the broker, and acts at most once on each.\n"
        "      CodeUri: functions/repeg_orders/\n      AutoPublishAliasAllProperties: true\n"
        "      VersionDescription: !Sub ${TradingMode} ${DataFeed} ${RequestsPerMinute} ${Waiting}\n"
        "      Timeout: !If [Listens, 655, 35]\n",
        "test_time_limits::test_a_placement_ends_before_its_functions_timeout[RepegOrders]",
    ),
    Defect(
        "the machine's role may redrive yesterday's execution",
        "          # A redrive repeats an execution up to 14 days later, with its old plan.\n"
        '          - Effect: Deny\n            Action: states:RedriveExecution\n            Resource: "*"\n\n'
        "  # ── The steps",
        "\n  # ── The steps",
        "test_permissions::test_every_role_that_starts_executions_is_denied_to_redrive_them",
    ),
    Defect(
        "a step may delete intents, which could then be sent again",
        "              Action: [dynamodb:GetItem, dynamodb:UpdateItem]\n",
        "              Action: [dynamodb:GetItem, dynamodb:UpdateItem, dynamodb:DeleteItem]\n",
        "test_permissions::test_the_table_allows_no_delete_and_no_scan",
    ),
    Defect(
        "a role of another account could be assumed through the service",
        "            Principal: {Service: states.amazonaws.com}\n            Action: sts:AssumeRole\n"
        "            Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}\n",
        "            Principal: {Service: states.amazonaws.com}\n            Action: sts:AssumeRole\n"
        '            Condition: {StringLike: {aws:SourceAccount: "*"}}\n',
        "test_permissions::test_a_service_may_assume_a_role_only_for_this_account[ExecutePlanRole]",
    ),
    Defect(
        "the queue refuses the events of the sweep's rule, and they are lost",
        "                  - !GetAtt SweepOrdersExecutionDied.Arn\n",
        "",
        "test_template::test_the_rules_may_send_to_the_queue_and_no_other_service_may",
    ),
    Defect(
        "the sweep is not started when an execution is aborted",
        "status: [FAILED, TIMED_OUT, ABORTED]",
        "status: [FAILED, TIMED_OUT]",
        "test_template::test_a_failed_execution_triggers_a_sweep",
    ),
    Defect(
        "the next deploy overwrites the broker's keys",
        'SecretStringTemplate: \'{"key_id": "put-yours-here"}\'',
        'SecretStringTemplate: \'{"key_id": "PUT-YOURS-HERE"}\'',
        "test_permissions::test_no_deploy_overwrites_the_keys_in_the_secret",
    ),
    Defect(
        "rows of the request quota never expire",
        "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}",
        "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: false}",
        "test_golden::test_the_translated_template_is_the_reviewed_one",
    ),
    Defect(
        "the table, with the record of every order, is deleted with the stack",
        "    # The table has the record of every order, so it is kept when the stack is deleted.\n    DeletionPolicy: Retain\n",
        "    # The table has the record of every order, so it is kept when the stack is deleted.\n    DeletionPolicy: Delete\n",
        "test_template::test_the_table_is_retained_and_protected",
    ),
    Defect(
        "tracing is off",
        "Tracing: {Enabled: true}",
        "Tracing: {Enabled: false}",
        "test_golden::test_the_translated_template_is_the_reviewed_one",
    ),
    Defect(
        "two stacks write into one log group",
        "LogGroupName: !Sub /repeg/${AWS::StackName}/functions",
        "LogGroupName: /repeg/functions",
        "test_golden::test_the_translated_template_is_the_reviewed_one",
    ),
    Defect(
        "traces hold what a step returns: positions and sizes",
        'POWERTOOLS_TRACER_CAPTURE_RESPONSE: "false"',
        'POWERTOOLS_TRACER_CAPTURE_RESPONSE: "true"',
        "test_template::test_traces_capture_neither_answers_nor_errors[CloseRun]",
    ),
    Defect(
        "a live stack can be deployed without an alarm address",
        '      - Assert: !Not [!Equals [!Ref AlarmEmail, ""]]\n',
        '      - Assert: !Not [!Equals [!Ref AlarmEmail, "none"]]\n',
        "test_phases::test_no_live_stack_deploys_without_an_alarm_address",
    ),
    Defect(
        "the arms of a condition are swapped: the watchdog expects a run where none is scheduled",
        'EXPECT_RUN: !If [IsScheduled, "true", "false"]',
        'EXPECT_RUN: !If [IsScheduled, "false", "true"]',
        "test_golden::test_the_translated_template_is_the_reviewed_one",
    ),
    Defect(
        "an alarm reaches nobody",
        "      MetricName: RunsFailed\n      Dimensions: [{Name: stack, Value: !Ref AWS::StackName}, {Name: service, Value: repeg}]\n"
        "      Statistic: Sum\n      Period: 300\n      EvaluationPeriods: 1\n      Threshold: 1\n"
        "      ComparisonOperator: GreaterThanOrEqualToThreshold\n      TreatMissingData: notBreaching\n"
        "      AlarmActions: [!Ref OperatorTopic]\n",
        "      MetricName: RunsFailed\n      Dimensions: [{Name: stack, Value: !Ref AWS::StackName}, {Name: service, Value: repeg}]\n"
        "      Statistic: Sum\n      Period: 300\n      EvaluationPeriods: 1\n      Threshold: 1\n"
        "      ComparisonOperator: GreaterThanOrEqualToThreshold\n      TreatMissingData: notBreaching\n"
        "      AlarmActions: []\n",
        "test_alarms::test_an_alarm_is_sent_to_the_operator[RunFailedAlarm]",
    ),
    Defect(
        "a live stack deploys with a setting that no run accepts",
        'EXECUTION__MAX_QUOTE_AGE_SECONDS: "10"',
        'EXECUTION__MAX_QUOTE_AGE_SECONDS: "300"',
        "test_template::test_the_template_sets_every_setting_to_its_default",
    ),
    Defect(
        "the journal's bucket is public",
        "RestrictPublicBuckets: true",
        "RestrictPublicBuckets: false",
        "test_permissions::test_the_journals_bucket_is_private_encrypted_kept_and_expires",
    ),
)
