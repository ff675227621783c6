"""A caller of Binance futures that shows every answer as it came."""

import hashlib
import hmac
import time
from urllib.parse import urlencode

import httpx


class BinanceCaller:
    def __init__(self, sandbox, keys, venue="Binance_F"):
        self.sandbox, self.keys, self.venue = sandbox, keys, venue
        self._http = httpx.Client(timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self._http.close()

    def send(self, method, path, *, timeout=10, **params):
        text = urlencode({**params, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.new(self.keys["secret"].encode(), text.encode(), hashlib.sha256).hexdigest()
        url = f"{self.sandbox.venue(self.venue)}{path}?{text}&signature={signature}"
        return self._http.request(method, url, headers={"X-MBX-APIKEY": self.keys["key"]}, timeout=timeout)

    def place(self, *, timeout=10, **params):
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
        order |= {"newOrderRespType": "RESULT"}
        return self.send("POST", "/fapi/v1/order", timeout=timeout, **{**order, **params})

    def place_stop(self, trigger, **params):
        order = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET"}
        order |= {"quantity": "0.1", "triggerPrice": trigger}
        return self.send("POST", "/fapi/v1/algoOrder", **{**order, **params})

    def state(self):
        return self.sandbox.state(self.venue, self.keys["key"])
