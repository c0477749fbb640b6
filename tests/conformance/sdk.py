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
        StockLatestQuoteRequest,
        StockLatestTradeRequest,
        StockQuotesRequest,
        StockSnapshotRequest,
    )
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
    "StockDataStream",
    "StockHistoricalDataClient",
    "StockLatestQuoteRequest",
    "StockLatestTradeRequest",
    "StockQuotesRequest",
    "StockSnapshotRequest",
    "StopLimitOrderRequest",
    "StopLossRequest",
    "StopOrderRequest",
    "TakeProfitRequest",
    "TimeInForce",
    "TradingClient",
    "TradingStream",
    "TrailingStopOrderRequest",
]
