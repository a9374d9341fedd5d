local cjson = require("cjson")

ngx.req.read_body()
local order = cjson.decode(ngx.req.get_body_data())
local lines, total = {}, 0
for i, item in ipairs(order.items) do
  local sum = item.price * item.quantity
  lines[i] = {sku = item.sku, title = item.title, sum = sum}
  total = total + sum
end
ngx.header["Content-Type"] = "application/json"
ngx.print(cjson.encode({
  id = order.id, customer = order.customer, tags = order.tags, lines = lines, total = total,
}))
