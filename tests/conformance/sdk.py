"""The unmodified alpaca-py, imported in one place."""

import warnings

with warnings.catch_warnings():
    # It imports a deprecated part of websockets.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError  # noqa: TID251 - the client under test
    from alpaca.data.enums import DataFeed  # noqa: TID251
    from alpaca.data.historical.corporate_actions import CorporateActionsClient  # noqa: TID251
    from alpaca.data.historical.stock import StockHistoricalDataClient  # noqa: TID251
    from alpaca.data.live.stock import StockDataStream  # noqa: TID251
    from alpaca.data.requests import (  # noqa: TID251
        CorporateActionsRequest,
        StockBarsRequest,
        StockLatestBarRequest,
        StockLatestQuoteRequest,
        StockLatestTradeRequest,
        StockQuotesRequest,
        StockSnapshotRequest,
        StockTradesRequest,
    )
    from alpaca.data.timeframe import TimeFrame, TimeFrameUnit  # noqa: TID251
    from alpaca.trading.client import TradingClient  # noqa: TID251
    from alpaca.trading.enums import (  # noqa: TID251
        AssetExchange,
        AssetStatus,
        OrderClass,
        OrderSide,
        OrderStatus,
        OrderType,
        QueryOrderStatus,
        TimeInForce,
    )
    from alpaca.trading.models import Order  # noqa: TID251
    from alpaca.trading.requests import (  # noqa: TID251
        ClosePositionRequest,
        GetAssetsRequest,
        GetCalendarRequest,
        GetOrderByIdRequest,
        GetOrdersRequest,
        LimitOrderRequest,
        MarketOrderRequest,
        OrderRequest,
        ReplaceOrderRequest,
        StopLimitOrderRequest,
        StopLossRequest,
        StopOrderRequest,
        TakeProfitRequest,
        TrailingStopOrderRequest,
    )
    from alpaca.trading.stream import TradingStream  # noqa: TID251

__all__ = [
    "APIError",
    "AssetExchange",
    "AssetStatus",
    "ClosePositionRequest",
    "CorporateActionsClient",
    "CorporateActionsRequest",
    "DataFeed",
    "GetAssetsRequest",
    "GetCalendarRequest",
    "GetOrderByIdRequest",
    "GetOrdersRequest",
    "LimitOrderRequest",
    "MarketOrderRequest",
    "Order",
    "OrderClass",
    "OrderRequest",
    "OrderSide",
    "OrderStatus",
    "OrderType",
    "QueryOrderStatus",
    "ReplaceOrderRequest",
    "StockBarsRequest",
    "StockDataStream",
    "StockHistoricalDataClient",
    "StockLatestBarRequest",
    "StockLatestQuoteRequest",
    "StockLatestTradeRequest",
    "StockQuotesRequest",
    "StockSnapshotRequest",
    "StockTradesRequest",
    "StopLimitOrderRequest",
    "StopLossRequest",
    "StopOrderRequest",
    "TakeProfitRequest",
    "TimeFrame",
    "TimeFrameUnit",
    "TimeInForce",
    "TradingClient",
    "TradingStream",
    "TrailingStopOrderRequest",
]
