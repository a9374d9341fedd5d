-- Who may use the API. The keys themselves stand nowhere: what is kept is
--
--     ngx.encode_base64(ngx.sha1_bin(key))
--
-- so that whoever reads this file can call nothing with it. A plain hash is enough only for keys
-- that a machine made at random (128 bits and more), never for passwords that people think up.
-- The keys of these two are "demo-reader-key" and "demo-writer-key".
return {
  ["k6HyEXNqBtgAKrRxlcB5MgeyzOA="] = {name = "reader", may_write = false},
  ["EFYt5O4W1PZceemYJPC2pO/8O8A="] = {name = "writer", may_write = true},
}
