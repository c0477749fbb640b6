// A bot with @alpacahq/alpaca-trade-api, as its users write it. Arguments: URL, key id, secret. Prints what it saw.
const Alpaca = require("@alpacahq/alpaca-trade-api");

const [url, keyId, secretKey] = process.argv.slice(2);
const alpaca = new Alpaca({ keyId, secretKey, baseUrl: url, dataBaseUrl: url, feed: "iex" });

function firstFill() {
  return new Promise((resolve) => {
    const stream = alpaca.trade_ws;
    stream.onConnect(() => stream.subscribe(["trade_updates"]));
    stream.onOrderUpdate((update) => update.event === "fill" && resolve([stream, update]));
    stream.onStateChange(async (state) => {
      if (state === "connected") await trade();
    });
    stream.connect();
  });
}

async function trade() {
  // Only updates after the subscription are sent, so a later order follows the first.
  for (let tries = 0; tries < 3; tries++) {
    await alpaca.createOrder({ symbol: "QQQ", qty: 1, side: "buy", type: "market", time_in_force: "day" });
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function main() {
  const clock = await alpaca.getClock();
  const account = await alpaca.getAccount();
  const quote = await alpaca.getLatestQuote("QQQ");
  const bars = [];
  for await (const bar of alpaca.getBarsV2("QQQ", { start: "2026-11-16", end: "2026-11-20", timeframe: "1Day" }))
    bars.push(bar.ClosePrice);
  const [stream, update] = await firstFill();
  stream.disconnect();
  const position = await alpaca.getPosition("QQQ");
  const seen = { open: clock.is_open, cash: account.cash, ask: quote.AskPrice, bars: bars.length };
  console.log(JSON.stringify({ ...seen, event: update.event, symbol: position.symbol }));
  process.exit(0);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
