"""`repeg keys`: the broker's key pair, checked at the broker and then stored as the stack's secret."""

from __future__ import annotations

import json

from pydantic import SecretStr, ValidationError

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import FixedKeys, Keys, TradingMode, ensure_keys_fit
from repeg.domain.broker import Account
from repeg.domain.errors import BrokerDenied, InvalidSettings
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import Answer
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import SECRET, DeployedStack, find_stack
from repeg_workbench.operate.workstation import Workstation


def store_keys(at: Workstation, stack: str | None) -> Answer:
    """Read a pair without echo, check it, and put it into Secrets Manager. A pair that does not fit is not stored."""
    found = find_stack(at, stack)
    mode = TradingMode(found.mode)
    pair = _read(at, found)
    try:
        ensure_keys_fit(pair, mode)
        account = _account(at, pair, mode)
    except InvalidSettings:
        other = "live" if mode is TradingMode.PAPER else "paper"
        said = f"these keys are of a {other} account, and {found.title} is {mode}; nothing is stored"
        raise CannotOperate(said) from None
    _require_same_account(found, account)
    client = at.client("secretsmanager")
    client.put_secret_value(SecretId=found.outputs[SECRET], SecretString=_as_json(pair))
    data = {
        "stack": found.name, "mode": found.mode, "account_number": account.number, "equity": str(account.equity),
        "blocked_by": account.blocked_by,
    }  # fmt: skip
    text = [
        f"{found.title}: stored the keys of account {account.number}, equity {account.equity} dollars",
        "Running functions use the old pair until the broker rejects it: revoke it there when you rotate.",
    ]
    if account.blocked_by:
        text.append(f"problem: this account may not trade: {account.blocked_by}")
    return Answer(data, text)


def _read(at: Workstation, stack: DeployedStack) -> Keys:
    key_id, secret_key = (at.ask_secret(f"{name} for {stack.title}: ").strip() for name in ("key id", "secret key"))
    try:
        return Keys(key_id=SecretStr(key_id), secret_key=SecretStr(secret_key))
    except ValidationError:
        raise CannotOperate("a key is empty; nothing is stored") from None


def _account(at: Workstation, pair: Keys, mode: TradingMode) -> Account:
    api = trading_api(FixedKeys(pair), mode, at.runtime.mount)
    try:
        return AlpacaBroker(api, mode=mode).account()
    except BrokerDenied:
        raise CannotOperate(
            f"Alpaca's {mode} endpoint does not accept this pair; nothing is stored. Copy both halves again"
        ) from None


def _require_same_account(stack: DeployedStack, account: Account) -> None:
    """Refuse to change the account under a run: it would have to end without its orders."""
    for guard in history.guards(stack, history.RECENT_DAYS):
        if not guard.is_over and guard.account_number not in {"", account.number}:
            raise CannotOperate(
                f"run {guard.run_id} is active in account {guard.account_number}; these keys open {account.number}; "
                "nothing is stored. Wait for its end, or end it with `repeg cancel-all`"
            )


def _as_json(pair: Keys) -> str:
    return json.dumps({"key_id": pair.key_id.get_secret_value(), "secret_key": pair.secret_key.get_secret_value()})
