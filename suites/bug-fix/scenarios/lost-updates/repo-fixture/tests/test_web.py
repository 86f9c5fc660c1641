from stockroom import Application, Catalogue, HouseAccounts, Level, OrderBook, Stock


def application(limit=10_000):
    return Application(
        Stock([Level("FLOUR", 5)]),
        OrderBook(),
        HouseAccounts({"lund": limit}),
        Catalogue({"FLOUR": 1_000}),
    )


def order(quantity):
    return {"customer": "lund", "lines": [{"sku": "FLOUR", "quantity": quantity}]}


def test_an_order_can_be_placed_read_and_cancelled():
    app = application()
    placed = app.handle("POST", "/orders", order(2))
    assert placed.status == 201
    assert placed.body["total_cents"] == 2_000
    path = f"/orders/{placed.body['id']}"
    assert app.handle("GET", path).body["status"] == "placed"
    assert app.handle("GET", "/stock/FLOUR").body == {"sku": "FLOUR", "on_hand": 3}
    assert app.handle("DELETE", path).body["status"] == "cancelled"
    assert app.handle("GET", "/stock/FLOUR").body["on_hand"] == 5
    assert app.handle("DELETE", path).status == 409


def test_refusals_have_their_own_status():
    app = application(limit=1_500)
    assert app.handle("POST", "/orders", order(6)).status == 409
    assert app.handle("POST", "/orders", order(2)).status == 402
    assert app.handle("POST", "/orders", order(0)).status == 422
    assert app.handle("GET", "/stock/SUGAR").status == 404
    assert app.handle("GET", "/orders/SO-00009").status == 404
    assert app.handle("GET", "/nowhere").status == 404


def test_a_delivery_arrives():
    app = application()
    assert app.handle("POST", "/deliveries", {"units": {"FLOUR": 3}}).body == {"FLOUR": 8}
