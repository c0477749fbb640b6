"""A bot with the older Python SDK, alpaca-trade-api, as its users write it. Arguments: URL, key id, secret."""

import asyncio
import json
import sys

from alpaca_trade_api.common import URL  # type: ignore[import-not-found]
from alpaca_trade_api.rest import REST, TimeFrame  # type: ignore[import-not-found]
from alpaca_trade_api.stream import Stream  # type: ignore[import-not-found]

url, key_id, secret = sys.argv[1:]
api = REST(key_id, secret, base_url=URL(url))
stream = Stream(key_id, secret, base_url=URL(url), data_stream_url=URL(url), data_feed="iex")
seen: dict[str, object] = {}


async def on_update(update: object) -> None:
    """Remember a fill."""
    if update.event == "fill":  # type: ignore[attr-defined]
        seen["event"] = update.event  # type: ignore[attr-defined]


async def on_quote(quote: object) -> None:
    """Remember a symbol."""
    seen["streamed"] = quote.symbol  # type: ignore[attr-defined]


async def trade() -> None:
    """Buy until a fill and a quote have been streamed; only later updates are sent."""
    while not {"event", "streamed"} <= set(seen):
        api.submit_order(symbol="QQQ", qty=1, side="buy", type="market", time_in_force="day")
        await asyncio.sleep(0.3)


async def main() -> None:
    """Read, then stream and trade at once."""
    seen["open"], seen["cash"] = api.get_clock().is_open, api.get_account().cash
    seen["ask"] = api.get_latest_quote("QQQ").ap
    seen["bars"] = len(api.get_bars("QQQ", TimeFrame.Day, "2026-11-16", "2026-11-20"))
    stream.subscribe_trade_updates(on_update)
    stream.subscribe_quotes(on_quote, "QQQ")
    running = asyncio.create_task(stream._run_forever())
    await trade()
    running.cancel()
    seen["symbol"] = api.get_position("QQQ").symbol
    sys.stdout.write(json.dumps(seen))
    sys.stdout.flush()


asyncio.run(main())
