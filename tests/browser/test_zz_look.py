from decimal import Decimal
import pytest
from django.conf import settings as conf
from accounts import flows
from execution.models import Order, Bracket
from tests.webhooks.conftest import *
from tests.webhooks.region import *
from webhooks.models import Delivery

THREE = "BTCUSDT on Binance_F market long 0.01 sl off 2% tp1 off 2% for 50% tp2 off 5% for rest BTCUSDT on ByBit_F market long 0.01 ETHUSDT on Binance_F market long 1 lev 10x"
def test_look(request, caller, owner, region, live_server, settings):
    caller.post(owner.path)
    caller.post(owner.path, THREE)
    o = Order.objects.filter(status="working")
    b = Bracket.objects.create(user=owner.user, account=owner.account, venue="Binance_F", region="tokyo", symbol="BTCUSDT", instrument="BTCUSDT", direction="long", token="T"*26, status="armed",
        legs=[{"kind":"stop","price":"49000.10","quantity":"0.01","status":"open","exchange_id":"71"},{"kind":"target","number":1,"price":"51000.1","quantity":"0.005","status":"open"},{"kind":"target","number":2,"price":"52500.1","quantity":"0.005","status":"filled"}])
    T = {"parsed":1.2,"queued":4.1,"claimed": 6.3,"sent": 6.9,"acknowledged": 13.0,"filled":13.2,"protected":24.6}
    Order.objects.filter(symbol="BTCUSDT", venue="Binance_F").update(status="filled", quantity=Decimal("0.01"), filled=Decimal("0.01"), average_price=Decimal("50000.1"), bracket=b, timing_ms=T, exchange_id="8389765543", fee={"amount":"0.2","asset":"USDT"}, side="long")
    Order.objects.filter(symbol="ETHUSDT").update(status="rejected", side="long", error={"code":"NOT_ENOUGH_BALANCE","message":"the order needs 300.12 USDT of margin, 20.00 are free","hint":"lower the size, or add funds","exchange_code":"-2019","exchange_message":"Margin is insufficient."}, timing_ms=T)
    settle()
    Delivery.objects.filter(body=ORDER).update(timing_ms=T|{"replied":25.3})
    caller.post(owner.path, "BTCUSDT on Binance_F market lnog 0.01 sl off 2%")
    caller.post(owner.path, "id a1 "+ORDER); caller.post(owner.path, "id a1 "+ORDER)
    region.answer = lambda job: [result(job, 0, status="dry_run")]
    caller.post(owner.path, "dry run "+ORDER)
    Order.objects.filter(delivery=owner.latest().public_id).update(status="dry_run", would_send=[{"method":"POST","path":"/fapi/v1/order","parameters":{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"0.01"}}])
    region.answer = nothing
    caller.post(owner.path+"?wait=0", "ETHUSDT on Binance_F limit long 0.5 at 2500 sl at 2400")
    settle()
    cookie = owner.browser().cookies["sessionid"].value
    ds = list(Delivery.objects.order_by("public_id"))
    names = {"list":"/deliveries/", "done":f"/deliveries/{ds[0].public_id}/","three":f"/deliveries/{ds[1].public_id}/","parse":f"/deliveries/{ds[2].public_id}/","dup":f"/deliveries/{ds[4].public_id}/","dry":f"/deliveries/{ds[5].public_id}/","working":f"/deliveries/{ds[6].public_id}/","orders":"/orders/","order":f"/orders/{Order.objects.filter(venue='Binance_F').first().token}/","codes":"/docs/errors/","code":"/docs/errors/STALE","nofilter":"/deliveries/?status=unqueued"}
    browser = request.getfixturevalue("browser")
    for size,(w,h) in {"d":(1280,900),"p":(390,844)}.items():
        for scheme in ("light","dark") if size=="d" else ("light",):
            ctx = browser.new_context(viewport={"width":w,"height":h}, color_scheme=scheme)
            ctx.add_cookies([{"name":"sessionid","value":cookie,"url":live_server.url}])
            page = ctx.new_page()
            page.on("console", lambda m: print("CONSOLE", m.text) if m.type=="error" else None)
            for n,u in names.items():
                if scheme=="dark" and n not in ("three","list"): continue
                page.goto(live_server.url+u)
                over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                if over: print("OVERFLOW", size, n, over)
                page.screenshot(path=f"/tmp/wh_shots/{size}_{scheme}_{n}.png", full_page=True)
            ctx.close()
